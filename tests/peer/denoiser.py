"""The denoiser of model/src/denoiser.rs in PyTorch, from the same config.json and model.safetensors.

As a PyTorch programmer would write it for speed: fused attention, convolutions with channels last, everything that does
not change from frame to frame made once.
"""

import json
import math
import pathlib

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import nn

INPUT_CHANNELS = 32
NORM_EPSILON = 1e-5
# As in model/src/rotary.rs.
UNIT_SLOPE, FASTEST, SLOWEST = 0.156, 1.2, 0.03
# As in sim/src/pose.rs.
VERTICAL_FIELD_DEG = 70.0


def rms_norm(x):
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + NORM_EPSILON)


def modulate(x, shift, scale):
    return rms_norm(x) * (1.0 + scale) + shift


def rotate(x, cos, sin):
    a, b = x.chunk(2, -1)
    return torch.cat([a * cos - b * sin, a * sin + b * cos], -1)


def rotary(width, height, patch, d_head):
    """Cosines and sines, [tokens, d_head / 2]: the first half of the pairs for the vertical axis."""
    focal = height * 0.5 / math.tan(math.radians(VERTICAL_FIELD_DEG) * 0.5)
    rows, columns, axis_pairs = height // patch, width // patch, d_head // 4
    centre = lambda index, size: ((index + 0.5) * patch - size * 0.5) / focal / UNIT_SLOPE
    vertical = torch.tensor([centre(row, height) for row in range(rows)])
    horizontal = torch.tensor([centre(column, width) for column in range(columns)])
    # An odd pair out goes to the horizontal axis.
    pace = lambda pairs: torch.tensor(
        [FASTEST * (SLOWEST / FASTEST) ** (step / (max(axis_pairs, 2) - 1)) for step in range(pairs)]
    )
    of_rows = (vertical[:, None] * pace(axis_pairs))[:, None].expand(rows, columns, -1)
    of_columns = (horizontal[:, None] * pace(d_head // 2 - axis_pairs))[None].expand(rows, columns, -1)
    angles = torch.cat([of_rows, of_columns], -1).reshape(rows * columns, -1)
    return angles.cos(), angles.sin()


class Linear(nn.Module):
    """Weights come as [inputs, outputs]; PyTorch's products want them the other way."""

    def __init__(self, tensors, name, bias):
        super().__init__()
        self.weight = nn.Parameter(tensors[f"{name}.weight"].t().contiguous(), requires_grad=False)
        self.bias = nn.Parameter(tensors[f"{name}.bias"], requires_grad=False) if bias else None

    def forward(self, x):
        return F.linear(x, self.weight, self.bias)


class Convolution(nn.Module):
    """From [9 * inputs, outputs], rows by neighbour row, neighbour column and channel."""

    def __init__(self, tensors, name):
        super().__init__()
        weight = tensors[f"{name}.weight"]
        weight = weight.reshape(3, 3, weight.shape[0] // 9, weight.shape[1]).permute(3, 2, 0, 1)
        self.weight = nn.Parameter(weight.contiguous(memory_format=torch.channels_last), requires_grad=False)
        self.bias = nn.Parameter(tensors[f"{name}.bias"], requires_grad=False)

    def forward(self, x):
        return F.conv2d(x, self.weight, self.bias, padding=1)


class Block(nn.Module):
    def __init__(self, tensors, name, heads):
        super().__init__()
        self.heads = heads
        self.table = nn.Parameter(tensors[f"{name}.modulation_table"], requires_grad=False)
        self.query_scale = nn.Parameter(tensors[f"{name}.query_scale"], requires_grad=False)
        self.key_scale = nn.Parameter(tensors[f"{name}.key_scale"], requires_grad=False)
        self.qkv = Linear(tensors, f"{name}.qkv", False)
        self.attention_out = Linear(tensors, f"{name}.attention_out", False)
        self.mlp_in = Linear(tensors, f"{name}.mlp_in", False)
        self.mlp_out = Linear(tensors, f"{name}.mlp_out", False)

    def forward(self, x, modulation, cos, sin):
        batch, tokens, d = x.shape
        part = (modulation + self.table).chunk(6, -1)
        qkv = self.qkv(modulate(x, part[0], part[1])).view(batch, tokens, 3, self.heads, d // self.heads)
        query, key, value = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        query = rotate(rms_norm(query) * self.query_scale, cos, sin)
        key = rotate(rms_norm(key) * self.key_scale, cos, sin)
        mixed = F.scaled_dot_product_attention(query, key, value.to(query.dtype))
        mixed = mixed.transpose(1, 2).reshape(batch, tokens, d)
        x = x + rms_norm(self.attention_out(mixed)) * part[2]
        hidden = F.relu(self.mlp_in(modulate(x, part[3], part[4]))).square()
        return x + rms_norm(self.mlp_out(hidden)) * part[5]


class Denoiser(nn.Module):
    def __init__(self, folder):
        super().__init__()
        folder = pathlib.Path(folder)
        self.config = config = json.loads((folder / "config.json").read_text())
        tensors = {name: tensor.float() for name, tensor in load_file(folder / "model.safetensors").items()}
        plain = lambda name: nn.Parameter(tensors[name], requires_grad=False)
        self.patch = config["patch_px"]
        self.patch_in = Linear(tensors, "patch_in", True)
        self.condition_in = Linear(tensors, "condition_in", True)
        self.condition_out = Linear(tensors, "condition_out", True)
        self.no_prompt = plain("no_prompt")
        self.modulation = Linear(tensors, "modulation", False)
        self.final_modulation = Linear(tensors, "final_modulation", False)
        self.final_table = plain("final_modulation_table")
        blocks = [Block(tensors, f"blocks.{index}", config["heads"]) for index in range(config["layers"])]
        self.blocks = nn.ModuleList(blocks)
        self.patch_out = Linear(tensors, "patch_out", True)
        self.head_hidden = Convolution(tensors, "head_hidden")
        self.head_out = Convolution(tensors, "head_out")
        cos, sin = rotary(config["width"], config["height"], self.patch, config["d_model"] // config["heads"])
        self.register_buffer("cos", cos)
        self.register_buffer("sin", sin)

    @property
    def condition_features(self):
        return self.condition_in.weight.shape[1]

    def forward(self, pixels, condition):
        """pixels [batch, height, width, 32], condition [batch, features] to [batch, height, width, 16]."""
        batch, height, width, channels = pixels.shape
        p, rows, columns = self.patch, height // self.patch, width // self.patch
        patches = pixels.view(batch, rows, p, columns, p, channels).permute(0, 1, 3, 2, 4, 5)
        x = self.patch_in(patches.reshape(batch, rows * columns, p * p * channels))
        condition = F.silu(rms_norm(self.condition_out(F.silu(self.condition_in(condition))) + self.no_prompt))
        modulation = self.modulation(condition)[:, None]
        for block in self.blocks:
            x = block(x, modulation, self.cos, self.sin)
        shift, scale = (self.final_modulation(condition)[:, None] + self.final_table).chunk(2, -1)
        features = self.patch_out(modulate(x, shift, scale)).view(batch, rows, columns, p, p, -1)
        features = features.permute(0, 1, 3, 2, 4, 5).reshape(batch, height, width, -1)
        full = torch.cat([features, pixels.to(features.dtype)], -1).permute(0, 3, 1, 2)
        return self.head_out(F.relu(self.head_hidden(full))).permute(0, 2, 3, 1)
