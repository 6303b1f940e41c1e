"""Why a rollout fails: probes measure a trained network, checks turn recorded evidence into findings.

Nothing is imported here: `probes` needs torch, `finding` and `symptoms` do not and stay quick to import.
"""
