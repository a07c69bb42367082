"""Formulas of web pages as LaTeX: MathML (its TeX annotation first, else converted) in place of its elements."""

import re
from dataclasses import dataclass, field
from html import escape

from hornbook.data.html.entities import unescape

MATH = re.compile(
    r"<(?:math|MATH)\b([^>]{0,500})>(.*?)</(?:math|MATH)>((?:\s{0,9}</[a-z]+>)?\s{0,9}<img\b[^>]{0,4000}mwe-math-fallback[^>]*>)?",
    re.DOTALL,
)
ANNOTATION = re.compile(r"<annotation\b[^>]{0,200}application/x-tex[^>]{0,200}>(.{0,4000}?)</annotation", re.DOTALL)
TOKEN = re.compile(r"<(/?)(?:[\w-]+:)?([a-zA-Z]+)([^>]*)>")
DROPPED = frozenset(("annotation", "annotation-xml", "mphantom", "maligngroup", "malignmark", "none", "mprescripts"))
COMMAND = re.compile(r"\\[a-zA-Z]+\Z")
MAX_COMMAND_CHARS = 40
MAX_MATH_CHARS = 20_000
MAX_MATH_DEPTH = 100
OPERATORS = {
    "×": r"\times", "⋅": r"\cdot", "·": r"\cdot", "±": r"\pm", "∓": r"\mp", "÷": r"\div", "≤": r"\leq", "≥": r"\geq",
    "≠": r"\neq", "≈": r"\approx", "≡": r"\equiv", "∼": r"\sim", "∝": r"\propto", "∞": r"\infty", "∂": r"\partial",
    "∇": r"\nabla", "∑": r"\sum", "∏": r"\prod", "∫": r"\int", "∮": r"\oint", "√": r"\surd", "∈": r"\in",
    "∉": r"\notin",
    "⊂": r"\subset", "⊆": r"\subseteq", "⊃": r"\supset", "∪": r"\cup", "∩": r"\cap", "∅": r"\emptyset", "∀": r"\forall",
    "∃": r"\exists", "¬": r"\neg", "∧": r"\wedge", "∨": r"\vee", "→": r"\to", "←": r"\leftarrow",
    "↔": r"\leftrightarrow",
    "⇒": r"\Rightarrow", "⇐": r"\Leftarrow", "⇔": r"\Leftrightarrow", "↦": r"\mapsto", "…": r"\ldots", "⋯": r"\cdots",
    "⋮": r"\vdots", "⋱": r"\ddots", "′": "'", "−": "-", "∗": "*", "⟨": r"\langle", "⟩": r"\rangle", "‖": r"\|",
    "∥": r"\parallel", "⊥": r"\perp", "⊗": r"\otimes", "⊕": r"\oplus", "∘": r"\circ", "°": r"^{\circ}", "ℓ": r"\ell",
    "ℏ": r"\hbar", "ℝ": r"\mathbb{R}", "ℕ": r"\mathbb{N}", "ℤ": r"\mathbb{Z}", "ℚ": r"\mathbb{Q}", "ℂ": r"\mathbb{C}",
    "{": r"\{", "}": r"\}", "%": r"\%", "#": r"\#", "&": r"\&", "_": r"\_", "$": r"\$",
    "\u2061": "", "\u2062": "", "\u2063": "", "\u2064": "", "\u200b": "", "\xa0": " ",
}  # fmt: skip
GREEK = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho varsigma sigma tau upsilon"
    " phi chi psi omega".split()
)
FUNCTIONS = frozenset("sin cos tan cot sec csc sinh cosh tanh arcsin arccos arctan log ln lg exp lim min max sup inf"
                      " det dim ker gcd arg deg Pr".split())  # fmt: skip
ACCENTS = {
    "¯": "overline", "‾": "overline", "\u0304": "bar", "^": "hat", "ˆ": "hat", "~": "tilde", "˜": "tilde", "→": "vec",
    "\u20d7": "vec", "˙": "dot", ".": "dot", "¨": "ddot", "⏞": "overbrace", "_": "underline", "⏟": "underbrace",
}  # fmt: skip
BIG = frozenset(
    (r"\sum", r"\prod", r"\int", r"\oint", r"\lim", r"\max", r"\min", r"\sup", r"\inf", r"\bigcup", r"\bigcap")
)
FENCES = {"{": r"\{", "}": r"\}", "": "."}


@dataclass(slots=True)
class Node:
    """An element of a formula."""

    name: str
    attrs: str = ""
    children: "list[Node]" = field(default_factory=list["Node"])
    text: str = ""


def replace_math(page: str) -> str:
    """The page with every `<math>` replaced by its LaTeX between dollar signs."""
    end = max(page.rfind("</math>"), page.rfind("</MATH>"))
    if end < 0:
        return page
    end = page.find(">", page.find("<img", end, end + 40)) + 1 if "<img" in page[end : end + 40] else end + 7
    return MATH.sub(_replaced, page[: max(end, 7)]) + page[max(end, 7) :]


def _replaced(found: re.Match[str]) -> str:
    attrs, inner = found.group(1), found.group(2)
    tex = math_to_tex(inner, attrs)
    if not tex:
        return ""
    mark = "$$" if re.search(r"display\s*=\s*[\"']?block", attrs) else "$"
    return escape(f"{mark}{tex}{mark}", quote=False)


def math_to_tex(inner: str, attrs: str = "") -> str:
    """LaTeX of what stands inside a `<math>` element: the author's own TeX where it is given."""
    place = inner.find("application/x-tex")  # after the formula itself, which may be long
    found = ANNOTATION.match(inner, max(0, inner.rfind("<", 0, place))) if place >= 0 else None
    tex = unescape(found.group(1)) if found else ""
    if not tex.strip() and (alt := re.search(r'\balttext\s*=\s*"([^"]+)"', attrs)):
        tex = unescape(alt.group(1))
    if not tex.strip() and len(inner) <= MAX_MATH_CHARS:
        tex = _tex(_tree(inner))
    tex = " ".join(tex.split())
    while tex.startswith(r"{\displaystyle ") and tex.endswith("}") and _is_one_group(tex):
        tex = tex[len(r"{\displaystyle ") : -1].strip()
    return tex


def _is_one_group(tex: str) -> bool:
    """Whether the brace that opens a formula closes at its end."""
    depth = 0
    for i, char in enumerate(tex):
        depth += (char == "{") - (char == "}")
        if depth == 0:
            return i == len(tex) - 1
    return False


def _tree(inner: str) -> Node:
    """The elements of a formula; deeper ones than MAX_MATH_DEPTH join their parents."""
    root = Node("mrow")
    stack = [root]
    position = 0
    for found in TOKEN.finditer(inner):
        stack[-1].text += inner[position : found.start()]
        position = found.end()
        name = found.group(2).lower()
        if found.group(1):
            for i in range(len(stack) - 1, 0, -1):
                if stack[i].name == name:
                    del stack[i:]
                    break
        elif len(stack) < MAX_MATH_DEPTH:
            node = Node(name, found.group(3))
            stack[-1].children.append(node)
            if not found.group(3).rstrip().endswith("/"):
                stack.append(node)
    stack[-1].text += inner[position:]
    return root


def _tex(node: Node) -> str:
    """LaTeX of one element."""
    name, parts = node.name, node.children
    if name in DROPPED:
        return ""
    if name in ("mi", "mn", "mo", "mtext", "ms"):
        return _leaf(node)
    if name == "mspace":
        return " "
    if name == "semantics":
        return _tex(parts[0]) if parts else ""
    if name == "mtable":
        return _matrix(node)
    if name == "mfenced":
        return _fenced(node)
    texs = [_tex(part) for part in parts if part.name not in DROPPED]
    if name == "msqrt":
        return rf"\sqrt{{{_joined(texs)}}}"
    if name == "mmultiscripts" or len(texs) < 2:
        return _joined(texs)
    base = texs[0]
    if name == "mfrac":
        command = r"\binom" if re.search(r"linethickness\s*=\s*[\"']?0", node.attrs) else r"\frac"
        return rf"{command}{{{base}}}{{{texs[1]}}}"
    if name == "mroot":
        return rf"\sqrt[{texs[1]}]{{{base}}}"
    if name == "msup":
        return f"{_base(base)}{texs[1]}" if texs[1] in ("'", "''") else f"{_base(base)}^{_group(texs[1])}"
    if name == "msub":
        return f"{_base(base)}_{_group(texs[1])}"
    if name in ("msubsup", "munderover") and len(texs) > 2:
        return f"{_base(base)}_{_group(texs[1])}^{_group(texs[2])}"
    if name in ("mover", "munder"):
        return _stacked(node, base, texs[1])
    return _joined(texs)


def _leaf(node: Node) -> str:
    text = " ".join(unescape(node.text).split())
    if node.name in ("mtext", "ms"):
        return rf"\text{{{text}}}" if text else " "
    if node.name == "mi" and len(text) > 1 and text.isascii() and text.isalpha():
        return "\\" + text if text in FUNCTIONS else rf"\mathrm{{{text}}}"
    return _joined([_symbol(char) for char in text]) if node.name != "mn" else text


def _symbol(char: str) -> str:
    if char in OPERATORS:
        return OPERATORS[char]
    code = ord(char)
    if 0x3B1 <= code <= 0x3C9:
        return "\\" + GREEK[code - 0x3B1]
    if 0x391 <= code <= 0x3A9 and code != 0x3A2:
        name = GREEK[code - 0x391].replace("varsigma", "sigma")
        return "\\" + name.capitalize()
    return {"ϵ": r"\epsilon", "ε": r"\varepsilon", "ϕ": r"\phi", "φ": r"\varphi", "ϑ": r"\vartheta"}.get(char, char)


def _joined(texs: list[str]) -> str:
    """Side by side, with a space where a command would run into a letter."""
    out = ""
    for tex in texs:
        if tex and out and tex[0].isalpha() and COMMAND.search(out[-MAX_COMMAND_CHARS:]):
            out += " "
        out += tex
    return out.strip()


def _group(tex: str) -> str:
    return tex if len(tex) == 1 else f"{{{tex}}}"


def _base(tex: str) -> str:
    return tex if re.fullmatch(r"\\?[a-zA-Z]+|.|\\[a-z]+\{\w*\}|\)|\]", tex) else f"{{{tex}}}"


def _stacked(node: Node, base: str, other: str) -> str:
    """Something over or under something."""
    last = node.children[-1]
    accent = ACCENTS.get(" ".join(unescape(last.text).split())) if last.name in ("mo", "mi") else None
    if accent and (node.name == "mover" or accent in ("underline", "underbrace", "overline")):
        accent = "underline" if node.name == "munder" and accent == "overline" else accent
        return rf"\{accent}{{{base}}}"
    if base in BIG or base.startswith((r"\overbrace", r"\underbrace")):
        return f"{base}{'^' if node.name == 'mover' else '_'}{_group(other)}"
    return rf"\{'overset' if node.name == 'mover' else 'underset'}{{{other}}}{{{base}}}"


def _matrix(node: Node) -> str:
    rows = [
        " & ".join(_tex(cell) for cell in row.children) for row in node.children if row.name in ("mtr", "mlabeledtr")
    ]
    return r"\begin{matrix} " + r" \\ ".join(rows) + r" \end{matrix}"


def _fenced(node: Node) -> str:
    def attribute(name: str, default: str) -> str:
        found = re.search(rf'\b{name}\s*=\s*"([^"]*)"', node.attrs)
        return unescape(found.group(1)) if found else default

    opening, closing = attribute("open", "("), attribute("close", ")")
    inner = (attribute("separators", ",")[:1] + " ").join(_tex(part) for part in node.children)
    return rf"\left{FENCES.get(opening, opening)} {inner} \right{FENCES.get(closing, closing)}"
