"""What the documentation site consists of: pages from all over the repository, under the paths that they have there.

So a link that works in the repository works in the site. MkDocs calls `on_files` (mkdocs.yml, `hooks`).
"""

from pathlib import Path

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
PATTERNS = ("*.md", "LICENSE", "docs/**/*", "config/**/*", "workflow/profiles/**/*", "workflow/schemas/*")


def on_files(files: Files, config) -> Files:
    """Return the theme's files, and in place of docs/ alone every page of the repository with what it links to."""
    of_docs = Path(config.docs_dir)
    kept = [file for file in files if Path(file.src_dir or "") != of_docs]
    found = sorted({path for pattern in PATTERNS for path in ROOT.glob(pattern) if path.is_file()})
    pages = [
        File(path.relative_to(ROOT).as_posix(), str(ROOT), config.site_dir, config.use_directory_urls)
        for path in found
        if path.suffix != ".py" and "__pycache__" not in path.parts
    ]
    return Files([*kept, *pages])
