"""The network as a file: artefact with manifest, ONNX session, an honest word on the provider."""
