import time

import pytest

from hornbook.data.html.math import math_to_tex, replace_math


@pytest.mark.parametrize(
    ("mathml", "tex"),
    [
        ("<mfrac><mi>a</mi><mrow><mi>b</mi><mo>+</mo><mn>1</mn></mrow></mfrac>", r"\frac{a}{b+1}"),
        ("<msup><mi>x</mi><mn>2</mn></msup><mo>≤</mo><mi>α</mi><mi>b</mi>", r"x^2\leq\alpha b"),
        ("<msqrt><mn>2</mn></msqrt><mroot><mi>x</mi><mn>3</mn></mroot>", r"\sqrt{2}\sqrt[3]{x}"),
        (
            "<munderover><mo>∑</mo><mrow><mi>i</mi><mo>=</mo><mn>0</mn></mrow><mi>n</mi></munderover><mi>i</mi>",
            r"\sum_{i=0}^ni",
        ),
        ("<mi>sin</mi><mi>x</mi><mi>Re</mi>", r"\sin x\mathrm{Re}"),
        ("<mover><mi>x</mi><mo>¯</mo></mover>", r"\overline{x}"),
        ("<msubsup><mi>x</mi><mi>i</mi><mrow><mi>j</mi><mi>k</mi></mrow></msubsup>", "x_i^{jk}"),
        (
            "<mtable><mtr><mtd><mn>1</mn></mtd><mtd><mn>0</mn></mtd></mtr><mtr><mtd><mn>0</mn></mtd></mtr></mtable>",
            r"\begin{matrix} 1 & 0 \\ 0 \end{matrix}",
        ),
        ('<mfenced open="["><mi>a</mi><mi>b</mi></mfenced>', r"\left[ a, b \right)"),
        ("<mtext>if  so</mtext>", r"\text{if so}"),
        (
            '<semantics><mi>y</mi><annotation encoding="application/x-tex">{\\displaystyle x &lt; y}</annotation>'
            "</semantics>",
            "x < y",
        ),
        ("<m:mi>x</m:mi>", "x"),
        ("", ""),
    ],
)
def test_mathml_becomes_tex(mathml: str, tex: str) -> None:
    assert math_to_tex(mathml) == tex


def test_the_authors_own_tex_stands_last() -> None:
    long = "<mrow>" + "<mi>x</mi>" * 3000 + "</mrow>"
    tex = '<annotation encoding="application/x-tex">y_1</annotation>'
    other = '<annotation encoding="application/x-llamapun">POSTSUBSCRIPT</annotation>'
    assert math_to_tex(f"<semantics>{long}{tex}{other}</semantics>") == "y_1"
    assert math_to_tex(f"<semantics><mi>z</mi>{other}</semantics>") == "z"
    assert math_to_tex("<mi>&#" + "9" * 5000 + ";</mi>") == "\ufffd"


def test_formulas_in_a_page() -> None:
    page = '<p>a <math display="block"><mi>x</mi><mo>&lt;</mo><mi>y</mi></math> b <math><mi>z</mi></math></p>'
    assert replace_math(page) == "<p>a $$x&lt;y$$ b $z$</p>"
    wiki = '<span><math><mi>x</mi></math></span><img src="x" class="mwe-math-fallback-image-inline" alt="x"> y'
    assert replace_math(wiki) == "<span>$x$ y"
    assert replace_math("<p>no formula</p>") == "<p>no formula</p>"


@pytest.mark.parametrize(
    "page",
    [
        "<math>" * 30_000,
        "</math>" + "<math>" * 30_000,
        "<math " * 30_000 + "</math>",
        "<math>" + "<mrow>" * 3_000 + "</math>",
        '<math><annotation encoding="application/x-tex">' * 3_000 + "</math>",
        "<math>x</math>" * 10_000,
        "<math><mo>" + "α" * 19_000 + "</mo></math>",
    ],
)
def test_time_is_linear(page: str) -> None:
    began_s = time.process_time()
    replace_math(page)
    assert time.process_time() - began_s < 4
