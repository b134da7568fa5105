"""Whether a file is text: by its name where that decides, else by its first kilobyte."""

import os

__all__ = ["SAMPLE_BYTES", "is_text", "text_by_name"]

SAMPLE_BYTES = 1024
_MAX_HIGH_SHARE = 0.3
_MAX_CONTROL_SHARE = 0.02

_TEXT = frozenset(
    """
    ada adoc asm astro awk bash bat bib c c++ cc cfg cjs clj cls cmake cmd coffee conf
    config cpp cs csh css csv cu cuh cxx d dart diff dockerfile dot editorconfig ejs el elm
    env erl ex exs f f03 f90 f95 fish fs fsx gemspec gitattributes gitignore gitmodules glsl
    go gql gradle graphql groovy gv h h++ haml hbs hcl hh hlsl hpp hrl hs htm html hxx in
    ini ipynb j2 jade java jinja jinja2 jl js json json5 jsonc jsonl jsx kt kts less lhs
    lisp lock log lua m m4 make markdown md mdx mjs mk ml mli mm mo ndjson nim nix nu patch
    php pl pm po pod pp prisma pro prolog properties proto ps1 psm1 pug puml pxd pxi py pyi
    pyw pyx r rake rb rd rmd rkt rmarkdown rs rst rtf s sass sbt scala scm scss sed sh sln
    sls smt2 snakefile sol spec sql srt styl sub sv svelte svg swift tcl template tex
    textile tf tfvars thrift tmpl toml tpl ts tsv tsx txt typ v vb vbs vert vhd vhdl vim vtt
    vue wat wsdl xaml xhtml xml xsd xsl xslt yaml yml zig zsh
    """.split()  # noqa: SIM905 - a word list reads better than a hundred quoted lines
)
_BINARY = frozenset(
    """
    7z a aac ai aiff apk arrow avi avif avro bin bmp bson bz2 cab ckpt class db dcm deb der
    dll dmg doc docx duckdb dylib egg eot eps exe feather flac flv fst gguf gif glb gz h5
    hdf hdf5 heic icns ico img iso jar jpeg jpg joblib jp2 ko lib lmdb lz4 lzma m4a m4v mat
    mdb mid mkv mov mp3 mp4 mpeg mpg msi nc nib nii npy npz o obj ods odt ogg onnx opus orc
    otf parquet pb pdf pickle pkl png ppt pptx psd pt pth pyc pyd pyo rar raw rdata rds rlib
    rpm safetensors sav snappy so sqlite sqlite3 swf swp tar tbz tgz tfrecord tfrecords tif
    tiff tflite ttf wasm wav webm webp whl wma wmv woff woff2 xls xlsx xz z zarr zip zst
    """.split()  # noqa: SIM905 - a word list reads better than a hundred quoted lines
)
_TEXT_NAMES = frozenset(
    """
    authors brewfile build changelog changes citation codeowners containerfile contributing
    copying dockerfile dvc.lock gemfile install jenkinsfile justfile license licence
    makefile manifest.in mlproject news notice pipfile procfile rakefile readme requirements
    snakefile todo vagrantfile version workspace
    """.split()  # noqa: SIM905 - a word list reads better than a hundred quoted lines
)
_UTF_16_32 = (b"\xff\xfe", b"\xfe\xff")
_CONTROL = bytes(set(range(32)) - set(b"\t\n\r\f\b\x1b")) + b"\x7f"
_HIGH = bytes(range(128, 256))


def is_text(path: str, name: str, size: int) -> bool:
    """Whether the file at `path` is text. An empty file is.

    Args:
        path: where to read from, if the name does not decide.
        name: its last component.
        size: in bytes.

    Raises:
        OSError: it cannot be read.
    """
    known = text_by_name(name)
    if known is not None:
        return known
    return size == 0 or _looks_like_text(_sample(path))


def text_by_name(name: str) -> bool | None:
    """Whether a file called `name` is text; None where the name does not tell."""
    stem, dot, extension = name.rpartition(".")
    if not dot or not stem:  # `Makefile`, `.gitignore`
        return True if (stem or extension).lower() in _TEXT_NAMES or extension in _TEXT else None
    extension = extension.lower()
    if extension in _TEXT:
        return True
    return False if extension in _BINARY else None


def _sample(path: str) -> bytes:
    # A pipe put in the file's place since must not block us.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    try:
        return os.read(descriptor, SAMPLE_BYTES)
    finally:
        os.close(descriptor)


def _looks_like_text(sample: bytes) -> bool:
    """UTF-8, UTF-16 or 32 with its mark, or mostly letters in some other character set."""
    if sample.startswith(_UTF_16_32):
        return True
    if b"\0" in sample:
        return False
    controls = len(sample) - len(sample.translate(None, _CONTROL))
    if controls > len(sample) * _MAX_CONTROL_SHARE:
        return False
    if _is_utf8(sample):
        return True
    return len(sample) - len(sample.translate(None, _HIGH)) <= len(sample) * _MAX_HIGH_SHARE


def _is_utf8(sample: bytes) -> bool:
    try:
        sample.decode()
    except UnicodeDecodeError as error:
        # The sample may end inside a character.
        return len(sample) == SAMPLE_BYTES and error.start >= SAMPLE_BYTES - 3
    return True
