"""The pages of ``web``: plain HTML, everything that comes from elsewhere escaped."""

from collections.abc import Sequence
from html import escape
from typing import TypedDict

SECURITY_POLICY = "default-src 'none'; style-src 'unsafe-inline'"

STYLE = """
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 40rem; margin: 3rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .4rem .6rem; border-bottom: 1px solid light-dark(#ddd, #444) }
.number { text-align: right; font-variant-numeric: tabular-nums }
.short, .error { color: light-dark(#b3261e, #ffb4ab) }
.chain { list-style: none; display: flex; flex-wrap: wrap; gap: .5rem; padding: 0 }
.chain li { border: 1px solid light-dark(#bbb, #666); border-radius: .5rem; padding: .3rem .7rem }
.chain li + li::before { content: "\\2190\\00a0" }
small { display: block; opacity: .7 }
"""


class Order(TypedDict):
    """What ``orders`` says of an order."""

    id: int
    sku: str
    quantity: int
    available: int


def overview(orders: Sequence[Order], chain: Sequence[str]) -> str:
    """The page of all orders."""
    rows = "\n".join(_row(order) for order in orders)
    return _document(
        "Orders",
        f"""<table>
<thead><tr><th>Order</th><th>Article</th><th class="number">Wanted</th><th class="number">In\
 stock</th></tr></thead>
<tbody>
{rows}
</tbody>
</table>""",
        chain,
    )


def failure(message: str, chain: Sequence[str]) -> str:
    """The page that says why there is no other."""
    return _document("The orders cannot be shown", f'<p class="error">{escape(message)}</p>', chain)


def _document(title: str, content: str, chain: Sequence[str]) -> str:
    hops = "\n".join(_hop(hop) for hop in chain)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{STYLE}</style>
</head>
<body>
<h1>{title}</h1>
{content}
<h2>Answered by</h2>
<ul class="chain">
{hops}
</ul>
</body>
</html>
"""


def _row(order: Order) -> str:
    kind = "number" if order["available"] >= order["quantity"] else "number short"
    cells = (
        f"<td>{escape(str(order['id']))}</td>",
        f"<td>{escape(order['sku'])}</td>",
        f'<td class="number">{escape(str(order["quantity"]))}</td>',
        f'<td class="{kind}">{escape(str(order["available"]))}</td>',
    )
    return f"<tr>{''.join(cells)}</tr>"


def _hop(hop: str) -> str:
    service, _, host = hop.partition("@")
    return f"<li>{escape(service)}<small>{escape(host)}</small></li>"
