"""The atlas's layout against openTSNE and UMAP: the same vectors, neighbours kept and seconds, one thread each.

    make bench NAME=atlas                 # peers: .peers/bin/pip install openTSNE umap-learn
    python bench/atlas.py --vectors V.npy # vectors of your own, float32 [documents, dimensions]

`ours` and `peers` are seconds for the same points; `ratio` is ours over openTSNE's, `kept` the share of each document's
ten nearest neighbours that are among its ten nearest on the map.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from record import machine, publish

ROOT = Path(__file__).resolve().parents[1]
PEER_PYTHON = ROOT / ".peers" / "bin" / "python"
ROWS_JUDGED = 2000
PEER = """
import sys, time, numpy as np
vectors = np.load(sys.argv[2])
start = time.monotonic()
if sys.argv[1] == "opentsne":
    import openTSNE
    places = openTSNE.TSNE(random_state=0, n_jobs=1).fit(vectors)
else:
    import umap
    places = umap.UMAP(random_state=0, n_jobs=1).fit_transform(vectors)
np.save(sys.argv[3], np.asarray(places, np.float32))
print(time.monotonic() - start)
"""


def main() -> int:
    """Run every side, print a table and the record."""
    import numpy as np

    from hornbook.data.insight.layout import lay_out, nearest

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vectors", type=Path, help="float32 .npy; by default made-up topics")
    parser.add_argument("--docs", type=int, default=10_000)
    parser.add_argument("--no-record", action="store_true")
    arguments = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    vectors_NK = np.load(arguments.vectors)[: arguments.docs] if arguments.vectors else made_up(arguments.docs)
    around = nearest(vectors_NK, 10)
    start = time.monotonic()
    places = lay_out(vectors_NK)
    seconds = {"ours": time.monotonic() - start}
    kept = {"ours": share_kept(around, places)}
    for peer in ("opentsne", "umap"):
        found = run_peer(peer, vectors_NK)
        if found is not None:
            seconds[peer], kept[peer] = found[0], share_kept(around, found[1])
    for side, took in seconds.items():
        print(f"{side:10} {took:8.1f} s   neighbours kept {kept[side]:.3f}")
    peers = {name: round(took, 2) for name, took in seconds.items() if name != "ours"}
    ratio = round(seconds["ours"] / peers["opentsne"], 3) if "opentsne" in peers else None
    more = {"docs": len(vectors_NK), "kept": {name: round(share, 4) for name, share in kept.items()}}
    record: dict[str, Any] = {"name": "atlas", "ours": round(seconds["ours"], 2), "peers": peers, "ratio": ratio}
    publish(record | {"unit": "seconds", "machine": machine(threads=1)} | more, not arguments.no_record)
    return 0


def made_up(num_docs: int, dims: int = 50, num_topics: int = 60) -> Any:
    """Vectors of length 1 around topics of different widths."""
    import numpy as np

    stream = np.random.default_rng(5)
    middles = stream.normal(size=(num_topics, dims))
    topic = stream.integers(num_topics, size=num_docs)
    widths = stream.uniform(0.2, 1.0, size=num_topics)
    vectors_NK = middles[topic] + widths[topic, None] * stream.normal(size=(num_docs, dims))
    return (vectors_NK / np.linalg.norm(vectors_NK, axis=1, keepdims=True)).astype(np.float32)


def share_kept(around: Any, places: Any) -> float:
    """Share of the ten nearest neighbours that are among the ten nearest on the map."""
    import numpy as np

    from hornbook.data.insight.layout import nearest

    rows = np.random.default_rng(1).permutation(len(places))[:ROWS_JUDGED]
    here = nearest(places, 10)
    return float(np.mean([len({*around[row]} & {*here[row]}) / 10 for row in rows]))


def run_peer(name: str, vectors_NK: Any) -> tuple[float, Any] | None:
    """Seconds and places of a peer in its own environment; None when it cannot run."""
    import numpy as np

    with tempfile.TemporaryDirectory() as folder:
        given, out = f"{folder}/in.npy", f"{folder}/out.npy"
        np.save(given, vectors_NK)
        command = [str(PEER_PYTHON), "-c", PEER, name, given, out]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"{name} cannot run: {(getattr(error, 'stderr', '') or str(error))[-200:]}")
            return None
        return float(done.stdout.split()[-1]), np.load(out)


if __name__ == "__main__":
    sys.exit(main())
