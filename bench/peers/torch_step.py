"""One training step of a Llama-shaped model in PyTorch: forward, backward, clipping, AdamW, float32, on the processor.

    python3 bench/peers/torch_step.py [--threads 1] [--steps 8] [--size study|demo]

Prints tokens for one second of processor time (user and system, all threads), median over the steps, and of wall time. The
same shapes as BenchmarkStep of train/llm. Runs on PyTorch 1.13 (Debian's python3-torch) and on those of PyPI, which take
their fused attention and fused AdamW.
"""

import argparse
import resource
import statistics
import time

import torch
import torch.nn.functional as F

SIZES = {  # layers, width, heads, context, vocabulary, hidden, batch
    "study": (4, 256, 4, 256, 4096, 688, 8),
    "demo": (3, 96, 3, 64, 1024, 256, 16),
}


def rotated(x, cos, sin):
    a, b = x.chunk(2, dim=-1)
    return torch.cat((a * cos - b * sin, b * cos + a * sin), dim=-1)


class Norm(torch.nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(width))

    def forward(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5) * self.weight


class Block(torch.nn.Module):
    def __init__(self, width, heads, hidden):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = Norm(width), Norm(width)
        self.qkv = torch.nn.Linear(width, 3 * width, bias=False)
        self.out = torch.nn.Linear(width, width, bias=False)
        self.up = torch.nn.Linear(width, 2 * hidden, bias=False)
        self.down = torch.nn.Linear(hidden, width, bias=False)

    def attention(self, x, cos, sin, mask):
        b, t, d = x.shape
        q, k, v = self.qkv(x).view(b, t, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        q, k = rotated(q, cos, sin), rotated(k, cos, sin)
        if hasattr(F, "scaled_dot_product_attention"):
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        else:
            y = F.softmax(q @ k.transpose(-1, -2) / (d // self.heads) ** 0.5 + mask, dim=-1) @ v
        return self.out(y.transpose(1, 2).reshape(b, t, d))

    def forward(self, x, cos, sin, mask):
        x = x + self.attention(self.norm1(x), cos, sin, mask)
        gate, up = self.up(self.norm2(x)).chunk(2, dim=-1)
        return x + self.down(F.silu(gate) * up)


class Model(torch.nn.Module):
    def __init__(self, layers, width, heads, context, vocabulary, hidden):
        super().__init__()
        self.embed = torch.nn.Embedding(vocabulary, width)
        self.blocks = torch.nn.ModuleList(Block(width, heads, hidden) for _ in range(layers))
        self.norm = Norm(width)
        self.head = torch.nn.Linear(width, vocabulary, bias=False)
        half = width // heads // 2
        angle = torch.arange(context)[:, None] * 10000.0 ** (-torch.arange(half) / half)
        self.cos, self.sin = angle.cos(), angle.sin()
        self.mask = torch.full((context, context), float("-inf")).triu(1)

    def forward(self, ids, targets):
        x = self.embed(ids)
        for block in self.blocks:
            x = block(x, self.cos, self.sin, self.mask)
        return F.cross_entropy(self.head(self.norm(x)).flatten(0, 1), targets.flatten())


def cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--size", choices=SIZES, default="study")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    layers, width, heads, context, vocabulary, hidden, batch = SIZES[args.size]
    model = Model(layers, width, heads, context, vocabulary, hidden)
    options = {"lr": 3e-4, "betas": (0.9, 0.95), "weight_decay": 0.1}
    try:
        optimizer = torch.optim.AdamW(model.parameters(), fused=True, **options)
    except (TypeError, RuntimeError):
        optimizer = torch.optim.AdamW(model.parameters(), **options)
    ids = torch.randint(vocabulary, (batch, context))
    targets = torch.randint(vocabulary, (batch, context))
    spent, wall = [], []
    for step in range(args.steps + 2):
        used, began = cpu(), time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        model(ids, targets).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if step > 1:
            spent.append(cpu() - used)
            wall.append(time.perf_counter() - began)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    tokens = batch * context
    print(f"torch {torch.__version__} {args.size} threads {args.threads}: {tokens / statistics.median(spent):.0f} tok/CPU-s, "
          f"{tokens / statistics.median(wall):.0f} tok/s wall, peak {peak:.0f} MB")


if __name__ == "__main__":
    main()
