"""One code for each language: ISO 639-1 where there is one, `und` for no language."""

UNDETERMINED = "und"

# Codes of three letters (ISO 639-2 and 639-3) that have one of two (ISO 639-1). Source: ISO 639.
PAIRS = (
    "aar:aa abk:ab afr:af aka:ak amh:am ara:ar arb:ar arg:an asm:as ava:av ave:ae aym:ay aze:az azj:az bak:ba "
    "bam:bm baq:eu bel:be ben:bn bis:bi bod:bo bos:bs bre:br bul:bg bur:my cat:ca ces:cs cha:ch che:ce chi:zh "
    "chu:cu chv:cv cmn:zh cor:kw cos:co cre:cr cym:cy cze:cs dan:da deu:de div:dv dut:nl dzo:dz ekk:et ell:el "
    "eng:en epo:eo est:et eus:eu ewe:ee fao:fo fas:fa fij:fj fil:tl fin:fi fra:fr fre:fr fry:fy ful:ff geo:ka "
    "ger:de gla:gd gle:ga glg:gl glv:gv gre:el grn:gn guj:gu hat:ht hau:ha heb:he her:hz hin:hi hmo:ho hrv:hr "
    "hun:hu hye:hy arm:hy ibo:ig ice:is ido:io iii:ii iku:iu ile:ie ina:ia ind:id ipk:ik isl:is ita:it jav:jv "
    "jpn:ja kal:kl kan:kn kas:ks kat:ka kau:kr kaz:kk khm:km kik:ki kin:rw kir:ky kom:kv kon:kg kor:ko kua:kj "
    "kur:ku lao:lo lat:la lav:lv lvs:lv lim:li lin:ln lit:lt ltz:lb lub:lu lug:lg mac:mk mah:mh mal:ml mao:mi "
    "mar:mr may:ms mkd:mk mlg:mg mlt:mt mon:mn mri:mi msa:ms mya:my nau:na nav:nv nbl:nr nde:nd ndo:ng nep:ne "
    "nld:nl nno:nn nob:no nor:no nya:ny oci:oc oji:oj ori:or orm:om oss:os pan:pa per:fa pes:fa pli:pi pol:pl "
    "por:pt pus:ps que:qu roh:rm ron:ro rum:ro run:rn rus:ru sag:sg san:sa sin:si slk:sk slo:sk slv:sl sme:se "
    "smo:sm sna:sn snd:sd som:so sot:st spa:es sqi:sq alb:sq srd:sc srp:sr ssw:ss sun:su swa:sw swh:sw swe:sv "
    "tah:ty tam:ta tat:tt tel:te tgk:tg tgl:tl tha:th tib:bo tir:ti ton:to tsn:tn tso:ts tuk:tk tur:tr twi:tw "
    "uig:ug ukr:uk urd:ur uzb:uz ven:ve vie:vi vol:vo wel:cy wln:wa wol:wo xho:xh yid:yi yor:yo zha:za zho:zh "
    "zsm:ms zul:zu"
)
TWO_LETTERS = {pair[:3]: pair[4:] for pair in PAIRS.split()}
# One language under two codes: the code used here; and what is no one language.
SAME = {"nb": "no", "iw": "he", "in": "id", "ji": "yi", "mo": "ro", "zxx": UNDETERMINED, "mul": UNDETERMINED}
KNOWN = frozenset((*TWO_LETTERS.values(), *SAME))


def canonical(code: str) -> str:
    """The code used here for a language, from a code with a country, a script or three letters; else "".

    >>> canonical("nb"), canonical("pt_BR"), canonical("zh-Hans-CN"), canonical("DEU"), canonical("ceb"), canonical("x")
    ('no', 'pt', 'zh', 'de', 'ceb', '')
    """
    base = code.strip().lower().replace("_", "-").partition("-")[0]
    base = TWO_LETTERS.get(base, base)
    base = SAME.get(base, base)
    if base in KNOWN or (len(base) == 3 and base.isascii() and base.isalpha()):
        return base
    return ""
