"""The page: what a person sees in the browser, and the endpoints a program calls. Answers come from ``qa`` alone."""

import os

# Before Gradio and the models' libraries are imported: nothing phones home, nothing is fetched at run time, and no
# list of who asked when is kept (Gradio would also make a table of it after each question).
os.environ.update(
    GRADIO_ANALYTICS_ENABLED="False",
    GRADIO_ANALYTICS_MAX_EVENTS="1",
    GRADIO_ANALYTICS_CACHE_FREQUENCY="1000000000",
    HF_HUB_OFFLINE="1",
    HF_HUB_DISABLE_TELEMETRY="1",
    TRANSFORMERS_OFFLINE="1",
    DO_NOT_TRACK="1",
)
