#!/usr/bin/env python3
"""Writes a recipe of fanin for any model: names, shapes, dtypes and initial distributions, as its constructor draws them.

    scripts/trace.py timm.create_model resnet50 -o resnet50.toml
    scripts/trace.py torchvision.models.resnet18 num_classes=10 -o resnet18.toml --check
    scripts/trace.py mymodule:build width=64 -o mine.toml
    scripts/trace.py path/config.json -o model.toml
    scripts/trace.py keras.applications.MobileNetV2 weights=None -o mobilenet.toml
    scripts/trace.py flaxmodels.ResNet50 pretrained=None --input 1,224,224,3 -o resnet.toml

The Python that runs it needs the model's framework. FANIN names the program [default: target/release/fanin].
docs/tracing.md says what is recorded, and lists the models that were tried.
"""

import sys
from pathlib import Path

# A script's folder comes first in the path, where this file would hide Python's own module `trace`.
FOLDER = str(Path(__file__).resolve().parent)
sys.path[:] = ["", *(path for path in sys.path[1:] if path != FOLDER), FOLDER]

from trace_tool.command import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
