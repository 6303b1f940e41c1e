from hypothesis import settings

# Timings are benchmarks, never tests: a busy machine must not fail an example.
settings.register_profile("no_deadline", deadline=None)
settings.load_profile("no_deadline")
