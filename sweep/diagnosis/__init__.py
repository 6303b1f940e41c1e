"""Diagnosis of rollouts: probes measure a trained network, symptoms and causes turn evidence into findings.

This file imports nothing: `probes` needs torch, `finding` and `symptoms` do not and stay quick to import.
"""
