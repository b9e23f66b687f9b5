"""An index in Milvus: the same surface as ``qa/index.py``, for more articles than one machine should hold."""
