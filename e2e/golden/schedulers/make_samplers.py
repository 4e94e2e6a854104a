"""Writes samplers.json: runs of diffusers' Euler and DPM-Solver++ 2M schedulers, for both predictions and all spacings, Karras's noise levels and last levels above zero.

Run with diffusers and torch installed: python make_samplers.py
"""
import json
from pathlib import Path

import diffusers
import torch
from diffusers import DPMSolverMultistepScheduler, EulerDiscreteScheduler

LATENT = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}
SCHEDULES = {
    "latent": LATENT,
    "latent-offset": {**LATENT, "steps_offset": 1},
    "linear": {"beta_schedule": "linear", "beta_start": 0.0001, "beta_end": 0.02},
    "cosine": {"beta_schedule": "squaredcos_cap_v2"},
    "zero-snr": {**LATENT, "rescale_betas_zero_snr": True},
}
SAMPLERS = {"euler": EulerDiscreteScheduler, "dpm++_2m": DPMSolverMultistepScheduler}
SHAPE = (2, 3)


def values(t):
    return t.double().flatten().tolist()


def run(sampler, config, steps):
    """A sampling run under a made-up denoiser, tanh(x + t/T)."""
    scheduler = SAMPLERS[sampler](**config)
    scheduler.set_timesteps(steps)
    noise = torch.randn(SHAPE, generator=torch.Generator().manual_seed(1))
    x = noise * scheduler.init_noise_sigma
    for t in scheduler.timesteps:
        shown = scheduler.scale_model_input(x, t)
        prediction = torch.tanh(shown + t / scheduler.config.num_train_timesteps)
        x = scheduler.step(prediction, t, x, return_dict=False)[0]
    return {
        "steps": steps, "timesteps": scheduler.timesteps.double().tolist(), "sigmas": values(scheduler.sigmas),
        "initial": float(scheduler.init_noise_sigma), "noise": values(noise), "result": values(x),
    }


def cases():
    for sampler in SAMPLERS:
        for name, schedule in SCHEDULES.items():
            for prediction in ["v_prediction"] if name == "zero-snr" else ["epsilon", "v_prediction"]:
                for spacing in ["leading", "trailing", "linspace"]:
                    config = {**schedule, "prediction_type": prediction, "timestep_spacing": spacing}
                    yield {
                        "sampler": sampler, "name": f"{name} {prediction} {spacing}",
                        "config": {"_class_name": SAMPLERS[sampler].__name__, **config},
                        "runs": [run(sampler, config, steps) for steps in [1, 6, 20]],
                    }

                    yield from variants(sampler, name, config) if prediction == "epsilon" else ()


def variants(sampler, name, config):
    """Karras's levels and a last level that is not zero, where a file asks for them. Under the cosine schedule diffusers' DPM-Solver fails at them."""
    if name not in ("latent-offset", "linear") or config["timestep_spacing"] == "trailing":
        return
    for more in [{"use_karras_sigmas": True}, {"final_sigmas_type": "sigma_min"}, {"use_karras_sigmas": True, "final_sigmas_type": "sigma_min"}]:
        asked = {**config, **more}
        yield {
            "sampler": sampler, "name": f"{name} {config['timestep_spacing']} {' '.join(more)}",
            "config": {"_class_name": SAMPLERS[sampler].__name__, **asked},
            "runs": [run(sampler, asked, steps) for steps in [2, 8, 20]],
        }


if __name__ == "__main__":
    out = {"made_with": {"diffusers": diffusers.__version__, "torch": torch.__version__}, "cases": list(cases())}
    Path(__file__).with_name("samplers.json").write_text(json.dumps(out) + "\n")
