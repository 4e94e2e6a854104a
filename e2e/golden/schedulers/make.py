"""Writes schedulers.json: diffusers' DDIM noise schedules and one run of each, for several configurations.

Run with diffusers and torch installed: python make.py
"""
import json
from pathlib import Path

import diffusers
import torch
from diffusers import DDIMScheduler

CONFIGS = {
    "linear": {"beta_schedule": "linear", "beta_start": 0.0001, "beta_end": 0.02},
    "stable-diffusion-1.5": {
        "beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012,
        "clip_sample": False, "set_alpha_to_one": False, "steps_offset": 1,
    },
    "stable-diffusion-2.1-v": {
        "beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012, "clip_sample": False,
        "set_alpha_to_one": False, "steps_offset": 1, "prediction_type": "v_prediction",
    },
    "cosine-v": {"beta_schedule": "squaredcos_cap_v2", "prediction_type": "v_prediction"},
    "cosine-clip-2": {"beta_schedule": "squaredcos_cap_v2", "clip_sample_range": 2.0, "timestep_spacing": "linspace"},
    "zero-snr-trailing": {
        "beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012, "clip_sample": False,
        "prediction_type": "v_prediction", "rescale_betas_zero_snr": True, "timestep_spacing": "trailing",
    },
    "trained-short": {
        "trained_betas": [0.01 * (i + 1) for i in range(20)], "num_train_timesteps": 20,
        "timestep_spacing": "trailing",
    },
}
SHAPE = (2, 3)


def values(t):
    return t.double().flatten().tolist()


def run(name, config, steps):
    """A sampling run under a made-up denoiser, tanh(x + t/T): enough to pass through every branch of the step."""
    scheduler = DDIMScheduler(**config)
    # The step is taken in float64 from float32 schedules, so that only the schedule's own rounding differs.
    scheduler.alphas_cumprod = scheduler.alphas_cumprod.double()
    scheduler.final_alpha_cumprod = scheduler.final_alpha_cumprod.double()
    scheduler.set_timesteps(steps)
    generator = torch.Generator().manual_seed(1)
    noise = torch.randn(SHAPE, generator=generator, dtype=torch.float64)
    x = noise
    for t in scheduler.timesteps:
        prediction = torch.tanh(x + t / scheduler.config.num_train_timesteps)
        x = scheduler.step(prediction, int(t), x, eta=0.0, return_dict=False)[0]
    return {"steps": steps, "timesteps": scheduler.timesteps.tolist(), "noise": values(noise), "result": values(x)}


def case(name, config):
    scheduler = DDIMScheduler(**config)
    total = scheduler.config.num_train_timesteps
    generator = torch.Generator().manual_seed(0)
    x0, noise = (torch.randn(SHAPE, generator=generator) for _ in range(2))
    at = torch.tensor([total // 3, total - 2])
    target = scheduler.get_velocity(x0, noise, at) if config.get("prediction_type") == "v_prediction" else noise
    return {
        "name": name,
        "config": {"_class_name": "DDIMScheduler", **config},
        "alphas_cumprod": values(scheduler.alphas_cumprod)[:: max(1, total // 50)],
        "last_alpha_cumprod": scheduler.alphas_cumprod[-1].item(),
        "x0": values(x0), "noise": values(noise), "at": at.tolist(),
        "noised": values(scheduler.add_noise(x0, noise, at)), "target": values(target),
        "runs": [run(name, config, steps) for steps in (([7] if total < 100 else [7, 20, 50]))],
    }


if __name__ == "__main__":
    out = {"made_with": {"diffusers": diffusers.__version__, "torch": torch.__version__}, "cases": [case(*c) for c in CONFIGS.items()]}
    Path(__file__).with_name("schedulers.json").write_text(json.dumps(out, indent=1) + "\n")
