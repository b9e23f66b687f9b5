"""Files made for the tests, and short views of what was read from them."""

import io


def masked(extract):
    return [extract.text[start:end] for start, end in extract.masks]


def at_locators(extract, length):
    return [(extract.text[start : start + length], name) for start, name in extract.locators]


def put(path, data="words"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def make_pdf(*pages, info="", trailer=""):
    """A PDF by hand: one line of Helvetica for each string of each page."""
    kids = " ".join(f"{4 + 2 * n} 0 R" for n in range(len(pages)))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for n, rows in enumerate(pages):
        shown = " ".join(f"({row}) Tj 0 -20 Td" for row in rows)
        stream = f"BT /F1 12 Tf 72 700 Td {shown} ET"
        objects.append(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] "
            f"/Resources << /Font << /F1 3 0 R >> >> /Contents {5 + 2 * n} 0 R >>"
        )
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
    objects.append(f"<< {info} >>")
    data, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(data))
        data += f"{number} 0 obj\n{body}\nendobj\n".encode("latin-1")
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    size = len(objects) + 1
    trailer = f"<< /Size {size} /Root 1 0 R /Info {size - 1} 0 R {trailer} >>"
    return (
        data
        + f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer\n{trailer}\nstartxref\n{len(data)}\n%%EOF\n".encode()
    )


def make_docx(document):
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()
