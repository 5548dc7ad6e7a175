"""A page to try a run's model: photos in, answers out, in the browser on this machine.

    python workflow/commands/page.py --run lesson

It listens on 127.0.0.1 alone unless --host says otherwise. Photos are read and answered, one at a time, and not kept.
"""

import argparse
import os
from pathlib import Path
from typing import Any

import library  # noqa: F401

# isort: split
from graft.errors import UserError, run_script
from graft.network.model_file import read_facts


def main(argv: list[str] | None = None) -> None:
    """Load the model, open the port, say where the page is, and answer until Ctrl-C."""
    arguments = parse_arguments(argv)
    read_facts(
        arguments.results / "runs" / arguments.run / "model.keras"
    )  # a mistake ends here, before a framework loads

    from graft.machine import runtime

    runtime.start(seed=0, threads=arguments.threads)
    from graft.page.answers import Answerer
    from graft.page.server import Server

    answerer = Answerer(arguments.results, arguments.run)
    try:
        server = Server(
            (arguments.host, arguments.port),
            answerer.answer,
            {"run": arguments.run, "about": about(answerer.facts)},
            int(arguments.most_mb * 1e6),
        )
    except OSError as error:
        raise UserError(
            f"port {arguments.port} of {arguments.host} cannot be had ({error.strerror}): take another with --port"
        ) from None
    host, port = server.server_address[:2]
    print(f"page: {arguments.run}: http://{host!s}:{port}/ (end it with Ctrl-C)", flush=True)
    try:
        server.serve_forever()
    finally:
        server.server_close()
        answerer.decoders.close()


def about(facts: dict[str, Any]) -> str:
    """Return what the page says of the model."""
    n, trained = len(facts["classes"]), {"finetuned": "fine-tuned", "head": "backbone frozen"}
    words = [
        facts.get("backbone"),
        f"{facts['size']} pixels",
        trained.get(facts.get("stage", ""), ""),
        f"fold {facts.get('fold', 0)}",
    ]
    shown = ", ".join(facts["classes"][:20]) + (f" and {n - 20} more" if n > 20 else "")
    text = f"Model of run {facts.get('run', '')}: {', '.join(word for word in words if word)}."
    text += f" It knows {n} classes: {shown}."
    strange = " It says where a photo is unlike its training photos." if facts.get("unlike") else ""
    return text + strange + " Probabilities are calibrated."


def parse_arguments(argv: list[str] | None) -> argparse.Namespace:
    """Return the command line's values."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", required=True, help="the run's name")
    parser.add_argument("--results", default=Path("results"), type=Path, help="where the run lies")
    parser.add_argument("--host", default="127.0.0.1", help="where to listen; another than 127.0.0.1 lets others in")
    parser.add_argument("--port", default=7860, type=int, help="default 7860; 0: any that is free")
    parser.add_argument("--most-mb", default=20, type=float, help="MB of a photo at most; default 20")
    parser.add_argument("--threads", default=os.cpu_count(), type=int, help="processor threads (default: all)")
    return parser.parse_args(argv)


if __name__ == "__main__":
    run_script(main)
