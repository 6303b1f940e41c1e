"""The native engine: a compiled kernel for recurrent networks, see docs/engine.md."""
