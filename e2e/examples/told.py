"""The texts that the examples are made of: letters on topics, and short stories."""

import random

TOPICS = {
    "food": ["the soup", "the bread", "my breakfast", "the apple cake", "the cheese", "your coffee"],
    "travel": ["the train", "the night bus", "our flight", "the ferry", "the hotel room", "the ticket"],
    "garden": ["the roses", "the lawn", "the old tree", "the seeds", "the greenhouse", "the hedge"],
    "music": ["the piano", "the choir", "the new song", "the concert", "the violin", "the record"],
}
OPENINGS = ["hello ,", "dear friends ,", "good morning ,", "to whom it may concern ,", ""]
ENDINGS = ["yours , anna", "best wishes , tom", "your neighbour", "mary and paul", ""]


def letter(r: random.Random, template: str, topic: str) -> str:
    """The template with a thing of the topic for {x}, between an opening and an ending."""
    body = template.format(x=r.choice(TOPICS[topic]))
    return " ".join(part for part in (r.choice(OPENINGS), body, r.choice(ENDINGS)) if part)


WHO = ["cat", "dog", "robot", "girl", "boy", "king", "witch", "parrot"]
HOW = ["small", "brave", "old", "happy", "hungry", "quiet"]
THING = ["box", "treasure", "map", "boat", "hat", "apple", "key"]
COLOUR = ["red", "golden", "green", "blue", "broken"]
PLACE = ["house", "garden", "forest", "town", "hill"]


def story(r: random.Random) -> str:
    who, how, thing, colour, place = map(r.choice, (WHO, HOW, THING, COLOUR, PLACE))
    other = r.choice([w for w in WHO if w != who])
    return r.choice(
        [
            f"the {how} {who} found a {colour} {thing} in the {place}. my friend, said the {other}, that is yours.",
            f"a {who} and a {other} looked for the {colour} {thing}. it was in the {place} , said the {how} {who}.",
            f"the {how} {who} gave the {thing} to the {other}. hello, said the {other}, you are my friend.",
        ]
    )
