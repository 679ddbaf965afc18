"""One frame by this repository's kernel and by PyTorch, in turn in one run, on the same threads and the same input.

Not part of the tests: run it by hand.

    pip install torch safetensors numpy
    cargo build --release -p holdfast-model --example peer
    python tests/peer/compare.py --threads 2
"""

import argparse
import pathlib
import platform
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent


class Kernel:
    """The Rust side: answers each line with one (frame.rs)."""

    def __init__(self, program, model, threads, precision, pixels, condition):
        self.folder = tempfile.TemporaryDirectory()
        at = pathlib.Path(self.folder.name)
        (at / "pixels").write_bytes(pixels.tobytes())
        (at / "condition").write_bytes(condition.tobytes())
        self.output_path = at / "output"
        command = [program, model, str(threads), precision, at / "pixels", at / "condition"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def run(self, count):
        return [float(ms) for ms in self.ask(f"run {count}").split()]

    def output(self, numpy):
        self.ask(f"write {self.output_path}")
        return numpy.fromfile(self.output_path, dtype=numpy.float32)


class Peer:
    """PyTorch, eager or compiled, in f32 or with products in bf16."""

    def __init__(self, torch, network, pixels, condition, bf16):
        self.torch, self.network, self.bf16 = torch, network, bf16
        self.pixels, self.condition = torch.from_numpy(pixels), torch.from_numpy(condition)

    def evaluate(self):
        torch = self.torch
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
            return self.network(self.pixels, self.condition)

    def run(self, count):
        times = []
        for _ in range(count):
            begun = time.perf_counter()
            self.evaluate()
            times.append((time.perf_counter() - begun) * 1e3)
        return times

    def output(self, numpy):
        return self.evaluate().float().numpy().reshape(-1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=ROOT / "assets" / "models" / "pebble", type=pathlib.Path)
    parser.add_argument("--program", default=ROOT / "target" / "release" / "examples" / "peer", type=pathlib.Path)
    parser.add_argument("--threads", default=2, type=int)
    parser.add_argument("--rounds", default=12, type=int, help="each round times every candidate once, in turn")
    parser.add_argument("--frames", default=10, type=int, help="evaluations of a candidate in a round")
    parser.add_argument("--eager", action="store_true", help="leave the compiled network out")
    args = parser.parse_args()
    try:
        import numpy
        import torch
    except ImportError as error:
        sys.exit(f"{error}; pip install torch safetensors numpy")
    if not args.program.exists():
        sys.exit(f"{args.program} is not there; cargo build --release -p holdfast-model --example peer")
    from denoiser import INPUT_CHANNELS, Denoiser

    torch.set_num_threads(args.threads)
    network = Denoiser(args.model).eval()
    config, draw = network.config, numpy.random.default_rng(1)
    shape = (1, config["height"], config["width"], INPUT_CHANNELS)
    pixels = draw.standard_normal(shape, dtype=numpy.float32) * 0.5
    condition = draw.standard_normal((1, network.condition_features), dtype=numpy.float32) * 0.5

    candidates = {
        f"holdfast {precision}": Kernel(args.program, args.model, args.threads, precision, pixels, condition)
        for precision in ("f32", "bf16", "int8")
    }
    compiled = None if args.eager else torch.compile(network)
    for bf16 in (False, True):
        name = "bf16" if bf16 else "f32"
        candidates[f"torch eager {name}"] = Peer(torch, network, pixels, condition, bf16)
        if compiled is not None:
            candidates[f"torch compiled {name}"] = Peer(torch, compiled, pixels, condition, bf16)
    for name in list(candidates):
        try:
            candidates[name].run(args.frames)
        except Exception as error:  # a machine without a C++ compiler cannot compile
            print(f"{name} left out: {type(error).__name__}: {str(error).splitlines()[0]}")
            del candidates[name]

    times = {name: [] for name in candidates}
    for _ in range(args.rounds):
        for name, candidate in candidates.items():
            times[name].extend(candidate.run(args.frames))
    expected = candidates["torch eager f32"].output(numpy).astype(numpy.float64)
    length = numpy.sqrt((expected**2).mean())
    print(f"{platform.processor() or platform.machine()}, {args.threads} threads, torch {torch.__version__}, "
          f"{config['width']}x{config['height']}; milliseconds a frame over {args.rounds} rounds")
    print(f"{'':22} {'median':>8} {'best':>8}   largest difference to eager f32, over the root mean square")
    for name, candidate in candidates.items():
        difference = numpy.abs(candidate.output(numpy) - expected).max() / length
        print(f"{name:22} {numpy.median(times[name]):8.2f} {min(times[name]):8.2f}   {difference:.2e}")
    for ours, theirs in [("f32", ("f32",)), ("bf16", ("bf16",)), ("bf16", ("f32", "bf16")), ("int8", ("f32", "bf16"))]:
        peers = [name for name in times if name.startswith("torch") and name.endswith(theirs)]
        best = min(peers, key=lambda name: numpy.median(times[name]))
        ratio = numpy.median(times[f"holdfast {ours}"]) / numpy.median(times[best])
        print(f"holdfast {ours} takes {ratio:.3f} of the time of {best}, the better PyTorch in {' or '.join(theirs)}")


if __name__ == "__main__":
    main()
