"""360 strings that break programs which glue text together: each is a legal value of an environment variable."""

from tests.catalog.catalogs import yaml_string

_EMPTY_AND_BLANK = ["", " ", "  ", "\t", "\n", "\r", "\r\n", "\n\n", " x", "x ", " x ", "x\n", "\nx", "x\ty", "x\r\ny"]
_QUOTES = ['"', "'", '""', "''", '"x"', "'x'", "\"'", '"""', "'''", "`x`", 'say "yes"', "it's", "„x“", "«x»", '\\"']
_BACKSLASHES = ["\\", "\\\\", "\\\\\\", "\\n", "\\t", "\\u0041", "\\x41", "\\0", "C:\\bin", "\\\\host\\share", "x\\"]
_TEMPLATES = [
    *("${", "%{", "$${", "%%{", "$$${", "%%%{", "$$$${", "${}", "%{}", "${x}", "%{x}", "$${x}", "%%{x}"),
    *("$", "%", "$$", "%%", "{", "}", "${${", "}${", "}%{", "x${", "${x", "$ {", "${x}${y}", "${ %{ $${ %%{ }"),
    *("${var.name}", "${path.module}", '${file("/etc/passwd")}', "${1 + 1}", '${"}"}', '${"${x}"}', '${upper("x")}'),
    *("%{if true}x%{endif}", "%{for x in y}${x}%{endfor}", "%{~ if true ~}", "${~ x ~}", "${jsonencode({})}", "\\${x}"),
]
_HEREDOCS = [
    "<<EOT",
    "<<-EOT",
    "<<EOT\nx\nEOT",
    "<<-EOT\n  x\n  EOT\n",
    "EOT",
    "\nEOT\n",
    "<<E\n${x}\nE",
    "<<<",
    "<< x",
]
_HCL = [
    *("# x", "// x", "/* x */", "*/", '"\n}\nmodule "x" {', "\n}\n", "} {", "[]", "{}", "[1, 2]", "{ a = 1 }", "a = 1"),
    *("null", "true", "false", "for", "if", "in", "var.x", "local.x", "each.key", "self", "count.index", "x ? y : z"),
    *("...", "=>", "==", "&&", "||", "!", "x.*.y", "x[0]", "provider::x::y()", 'resource "x" "y" {}', "sensitive(1)"),
]
_NUMBERS_AND_WORDS = [
    *("0", "-0", "+0", "1", "-1", "01", "1.0", "1.10", "1e3", "1E400", "-1e-9", ".5", "5.", "0x1f", "0o17", "0b1"),
    *("1_000", "1,000", "99999999999999999999", "NaN", "Infinity", ".inf", "12:30:45", "2024-01-01", "١٢٣", "½", "1/0"),
    *("True", "TRUE", "yes", "no", "on", "off", "y", "n", "nil", "None", "undefined", "Null", "~", "NULL", "(null)"),
]
_YAML = [
    *("- x", "? x", ": x", "x: y", "x:", "x #y", "&x", "*x", "!x", "!!str x", "|", ">", "|\n  x", "@x", "%YAML 1.1"),
    *("---", "<<", "=", "{x", "[x", "x]", "x}", ",", "-", "?", "key: {a: 1}", "x: |\n  y", "--- x"),
]
_OTHER_LANGUAGES = [
    *("{{ x }}", "{% x %}", "{# x #}", "{{ 7 * 7 }}", "{% raw %}", "$(x)", "$x", "!!", "; ls", "| ls", "&& ls", "> x"),
    *("$((1))", "*", "~/x", "#!/bin/sh", "' OR 1=1 --", "'; DROP TABLE x; --", "<b>x</b>", "<![CDATA[x]]>"),
    *(
        "&amp;",
        "&lt;",
        "<!-- x -->",
        "%s",
        "%n",
        "%d%d",
        "%00",
        "%0a",
        "{0}",
        "{x!r}",
        "{}{}",
        '{"a": [1, "b"]}',
        "\\/",
    ),
    *(
        "../../x",
        "/etc/passwd",
        "file:///x",
        "http://x:y@z/?a=b&c=d#e",
        "C:",
        "NUL",
        "arn:aws:iam::1:role/x",
        "a,b;c|d",
    ),
    *("-----BEGIN X-----\nx\n-----END X-----", "a=b\nc=d\n", "x\n\n\ny", "=1+1", "@SUM(1)", "base64==", "\\d+(?:x)*$"),
]
# Everything but NUL, which no process can be given.
_CONTROL = [f"a{chr(code)}b" for code in (*range(1, 9), *range(0x0B, 0x0D), *range(0x0E, 0x20), *range(0x7F, 0xA0))]
_UNICODE = [
    *(
        "é",
        "ß",
        "ñ",
        "日本語",
        "한국어",
        "العربية",
        "עברית",
        "ไทย",
        "Ελληνικά",
        "Русский",
        "\U0001d4b3",
        "𠜎",
        "ﬁ",
        "İ",
    ),
    *("😀", "👩‍👩‍👧‍👦", "🏳️‍🌈", "🇩🇪", "👍🏽", "❤️", "\U0001f9d1\u200d\U0001f680", "\u200b", "\u200d"),
    *("\u0131", "\u017f", "\u200e", "\u202e", "\u2066x\u2069"),
    *("\u00a0", "\u2003", "\u3000", "\u2028", "\u2029", "\ufeff", "\ufffd", "\ufffe", "\uffff", "\U0010ffff", "\ue000"),
    *("\u00ad", "\u034f", "\ufe0f", "\U000e0041", "\u115f", "\u180e", "a\u200bb", "x\u2028y"),
]
_LONG = ["a" * 4096, "${" * 500, "\\" * 999, '"' * 500, "}" * 500 + "${", "\n" * 300, "😀" * 300, " " * 1000, "$" * 999]

STRINGS = [
    *(_EMPTY_AND_BLANK + _QUOTES + _BACKSLASHES + _TEMPLATES + _HEREDOCS + _HCL + _NUMBERS_AND_WORDS),
    *(_YAML + _OTHER_LANGUAGES + _CONTROL + _UNICODE + _LONG),
]
ENVIRONMENT = {f"V{number:03}": string for number, string in enumerate(STRINGS)}


def service(name: str) -> str:
    """The lines of a catalog's service that has them all."""
    lines = (f"      {variable}: {yaml_string(string)}\n" for variable, string in ENVIRONMENT.items())
    return f"  {name}:\n    image: nginx:1.29\n    environment:\n{''.join(lines)}"
