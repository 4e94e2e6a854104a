/** @file What columns and keys are usually called that hold texts, prompts, answers and chats. */

export const textNames = ['text', 'content', 'document', 'sentence', 'output', 'story'];
export const promptNames = ['prompt', 'question', 'instruction', 'input'];
export const answerNames = ['completion', 'answer', 'response', 'chosen', 'output'];
export const chatNames = ['messages', 'conversations', 'conversation', 'chat'];
