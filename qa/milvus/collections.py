"""What the collections of an index in Milvus are made of: their fields and search indexes."""

from __future__ import annotations

from typing import Any

LONGEST = 65_535  # bytes of a VARCHAR: Milvus' limit, counted in bytes by a server


def described(milvus: Any, collection: str, dimension: int, *, lite: bool) -> tuple[Any, Any]:  # noqa: ANN401
    """Schema and index parameters of ``passages``, ``records`` or ``texts``.

    :param milvus: the client's library.
    :param dimension: of the passages' vectors.
    :param lite: whether it is for Milvus Lite.
    """
    schema = milvus.MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
    indexes = milvus.MilvusClient.prepare_index_params()
    if collection == "passages":
        _passages(milvus, schema, indexes, dimension, lite)
    else:
        _rows(milvus.DataType, schema, indexes, searched=collection == "records")
    return schema, indexes


def _rows(types: Any, schema: Any, indexes: Any, *, searched: bool) -> None:  # noqa: ANN401
    schema.add_field("id", types.VARCHAR, is_primary=True, max_length=200)
    for field in ("kind", "tag"):
        schema.add_field(field, types.VARCHAR, max_length=100)
        if searched:
            indexes.add_index(field, index_type="INVERTED")
    schema.add_field("n", types.INT64)
    schema.add_field("body", types.VARCHAR, max_length=LONGEST)
    # Milvus wants a vector in every collection.
    schema.add_field("nothing", types.FLOAT_VECTOR, dim=2)
    indexes.add_index("nothing", index_type="FLAT", metric_type="L2")


def _passages(milvus: Any, schema: Any, indexes: Any, dimension: int, lite: bool) -> None:  # noqa: ANN401
    types = milvus.DataType
    schema.add_field("id", types.INT64, is_primary=True)
    for field in ("article", "edition"):
        schema.add_field(field, types.VARCHAR, max_length=32)
        indexes.add_index(field, index_type="INVERTED")
    schema.add_field("start", types.INT64)
    schema.add_field("stop", types.INT64)
    # The terms are cut here (``qa/terms.py``), so that both kinds of index search for the same; all that is left to
    # do is to split them at blanks. Milvus Lite knows no such tokenizer, but its standard one does just that.
    schema.add_field(
        "terms", types.VARCHAR, max_length=LONGEST, enable_analyzer=True, enable_match=True,
        analyzer_params={"tokenizer": "standard" if lite else "whitespace"},
    )  # fmt: skip
    schema.add_field("vector", types.FLOAT_VECTOR, dim=dimension)
    schema.add_field("words", types.SPARSE_FLOAT_VECTOR)
    function = milvus.Function(
        name="bm25", function_type=milvus.FunctionType.BM25,
        input_field_names=["terms"], output_field_names=["words"],
    )  # fmt: skip
    schema.add_function(function)
    indexes.add_index("vector", index_type="FLAT" if lite else "AUTOINDEX", metric_type="IP")
    indexes.add_index(
        "words", index_type="SPARSE_INVERTED_INDEX", metric_type="BM25",
        params={"bm25_k1": 1.2, "bm25_b": 0.75},
    )  # fmt: skip
