"""The small words of English, and others that tell how a question leans on the one before."""

from __future__ import annotations


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


WH = _set("who whom whose what which when where why how")
BE = _set("is are was were am be been being")
AUXILIARY = BE | _set(
    "do does did has have had having can could will would shall should may might must isn aren wasn "
    "weren don doesn didn hasn haven hadn won wouldn shouldn couldn"
)
# Prepositions of place.
PLACES = _set("in at to from near inside outside into within across around on")
PREPOSITIONS = PLACES | _set(
    "of for with by about against between among during after before since until till under over through "
    "without towards toward upon like as than behind beyond despite per via off out up down"
)
PRONOUNS = _set(
    "i me my mine you your yours we our ours he him his himself she her hers herself it its itself they "
    "them their theirs themselves this that these those there then here one ones"
)
DETERMINERS = _set("a an the some any no every each all both either neither another other others such")
MONTHS = _set(
    "january february march april may june july august september october november december monday "
    "tuesday wednesday thursday friday saturday sunday"
)
STOP = (
    WH
    | AUXILIARY
    | PREPOSITIONS
    | PRONOUNS
    | DETERMINERS
    | _set(
        "and or but nor so if because while although though not t s d ll re ve m yes ok please also too "
        "only just very more most much many few little less least same own else ever never again still yet "
        "now today already even really that whether however instead anyway well there's"
    )
)
# Common words that names are made of, beside one that is no common word or another of these.
PARTS = _set(
    "north south east west northern southern eastern western central new united nations states kingdom "
    "university college institute center centre school academy hospital museum river sea lake mount "
    "mountain island islands ocean bay valley desert city county province street park party republic "
    "union council bank saint san los las el la le de king queen pope lord sir house league cup bowl "
    "army navy"
)
# What stands before a person's name, or what persons do.
TITLES = _set(
    "mr mrs ms dr president secretary minister ambassador professor spokeswoman spokesman chairman "
    "senator king queen prince princess general judge director leader author actor actress singer "
    "officer said says told added wrote"
)
# What a follow-up may begin with, saying nothing by it.
LEADERS = _set("and but so or also then ok okay well")
FILLERS = _set("exactly else so not then again though")
HAPPEN = _set("happen happened happens occur occurred so exactly")
# "how many", "which day".
UNITS = _set(
    "many much long often far old big large tall high year day month date country city place one ones way"
)
DO = _set("do does did")
# What fragments of time end with: "the next day".
TIMES = MONTHS | _set(
    "day week month year morning afternoon evening night quarter century decade today yesterday"
)
PERSON = _set("he him his himself she her hers herself")
THING = _set("it its itself")
SEVERAL = _set("they them their theirs themselves")
POSSESSIVE = _set("his its their theirs hers whose")
THESE = _set("this that these those")
OBJECTS = _set("him them it")
# Between two clauses.
BOUNDARIES = _set("if when because while after before since that and but who which until although")
# "is it true that", "how long does it take to": it stands for nothing.
EXPLETIVE = _set(
    "true possible likely known common necessary important legal illegal safe easy hard difficult said "
    "okay better best worth take takes cost costs matter rain"
)
# "this week", and "this article" said of what one reads: they point at no turn before.
NOW = _set("week month year morning afternoon evening day article section question world")
# "the name of her film": no pronoun stands for these.
VAGUE = _set("name names title reason result outcome type kind sort way part rest first last")
# What says little about what is asked.
LIGHT = _set(
    "happen happened happens happening occur interesting important aspect aspects article articles "
    "thing things anything something know known tell say said says think get got go went come came make "
    "made take took give year years time times place people person different significant notable "
    "information details work about kind first last next later end reason role result example name "
    "number done did do good"
)
# What a clause before the question itself begins with.
OPENERS = _set("besides aside other in after before if while following apart")
# Between the words of a name: "the university of oslo".
JOINTS = _set("of the de la le del der den van von da di du bin al")
