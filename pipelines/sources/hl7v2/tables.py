"""The code tables of HL7 v2 that are read, each with its number in the standard (chapter 2C), and what their codes mean here."""

# 0085, OBX-11: the status of one result. 'O' (order detail only), 'N' (not asked) and 'X' (cannot be obtained) bring no result.
RESULT_STATUS = {
    "F": "final",
    "U": "final",  # changed to final without being sent again
    "V": "final",  # verified
    "P": "preliminary",
    "R": "preliminary",  # entered, not verified
    "S": "preliminary",  # partial
    "I": "preliminary",  # specimen in the laboratory, results pending
    "C": "corrected",
    "A": "amended",
    "B": "amended",  # appended
    "D": "entered_in_error",  # delete
    "W": "entered_in_error",  # post original as wrong, such as transmitted for the wrong patient
    "X": "cancelled",
    "N": "cancelled",
    "O": "cancelled",
}
# 0123, OBR-25: the status of a report, used where OBX-11 is empty.
REPORT_STATUS = {
    "F": "final",
    "C": "corrected",
    "P": "preliminary",
    "R": "preliminary",
    "A": "preliminary",
    "I": "preliminary",
    "S": "preliminary",
    "O": "preliminary",
    "X": "cancelled",
    "Y": "cancelled",
    "Z": "cancelled",
}
# 0001, PID-8.
SEX = {"F": "female", "M": "male", "O": "other", "A": "other", "U": "unknown", "N": "unknown"}
# 0203, PID-3.5: the types of an identifier, the most wanted first. Any other type comes last.
IDENTIFIER_TYPES = ("MR", "PI", "")
# 0119 and 0038, ORC-1 and ORC-5, where they end an order.
CANCELLED_BY = {"CA", "OC", "CR"}
DISCONTINUED_BY = {"DC", "OD", "DR"}
# 0322, RXA-20. Partially administered: the amount in RXA-6 is what was given.
COMPLETION = {"": "given", "CP": "given", "PA": "given", "RE": "not_given", "NA": "not_given"}
# 0162, RXR-1, as routes of dictionary/drugs.toml. Others go through as printed.
ROUTES = {
    "PO": "oral",
    "NG": "oral",
    "IV": "iv",
    "IVPB": "iv",
    "IVP": "iv",
    "SC": "sc",
    "SQ": "sc",
    "IM": "im",
    "IH": "inhaled",
    "NS": "nasal",
    "IN": "nasal",
    "OP": "ocular",
    "TP": "topical",
}
# 0335, TQ1-3 and RXE-1.2: doses per day, where the pattern settles them. Qnh is computed.
DOSES_PER_DAY = {
    "QD": 1, "Q1D": 1, "DAILY": 1, "QAM": 1, "QPM": 1, "QHS": 1, "OD": 1, "QDAY": 1,
    "BID": 2, "TID": 3, "QID": 4,
}  # fmt: skip
WEEKLY = {"QW", "Q1W", "Q7D", "WEEKLY", "QWEEK"}
ONCE = {"ONCE", "ONE TIME", "1TIME", "X1"}
# 0211, MSH-18. The Japanese sets come as escape sequences of ISO 2022.
CHARACTER_SETS = {
    "ASCII": "ascii",
    "ISO IR6": "ascii",
    **{f"8859/{part}": f"iso8859-{part}" for part in (1, 2, 3, 4, 5, 6, 7, 8, 9, 15)},
    "UNICODE": "utf-8",
    "UNICODE UTF-8": "utf-8",
    "UTF-8": "utf-8",
    "ISO IR13": "iso2022_jp_ext",
    "ISO IR14": "iso2022_jp_ext",
    "ISO IR87": "iso2022_jp_ext",
    "ISO IR159": "iso2022_jp_ext",
    "GB 18030-2000": "gb18030",
    "BIG-5": "big5",
    "KS X 1001": "cp949",
}
# 0125, OBX-2: what a result can be read from.
TEXTS = frozenset(("", "ST", "TX", "FT", "IS", "ID"))
CODED = frozenset(("CE", "CWE", "CNE", "CF"))
PARAGRAPHS = frozenset(("TX", "FT"))  # repetitions are the lines of one text
# 0070 and 0487, OBR-15 and SPM-4: specimens that are not blood.
NOT_BLOOD = frozenset((
    "UR", "URC", "URT", "RANDU", "U", "URINE", "CSF", "CEREBROSPINAL FLUID", "SPT", "SPUTUM", "BAL", "BRONCHOALVEOLAR LAVAGE",
    "BRO", "PLR", "PLEURAL FLUID", "PRT", "PERITONEAL FLUID", "ASCITES", "SNV", "SYNOVIAL FLUID", "AMN", "AMNIOTIC FLUID", "STL",
    "STOOL", "SAL", "SALIVA", "SWT", "SWEAT", "FLU", "BODY FLUID", "DIAF", "DIALYSIS FLUID", "SMN", "TIS", "TISSUE",
))  # fmt: skip
LOINC = frozenset(("LN", "LOINC", "HTTP://LOINC.ORG", "2.16.840.1.113883.6.1"))
UCUM = frozenset(("UCUM", "HTTP://UNITSOFMEASURE.ORG"))
DRUG_CODES = frozenset(
    ("ATC", "WC", "HTTP://WWW.WHOCC.NO/ATC", "RXNORM", "HTTP://WWW.NLM.NIH.GOV/RESEARCH/UMLS/RXNORM")
)
# The local coding system of the native columns, and the segment that carries those for which HL7 has no field.
LOCAL = "99MDA5"
LOCAL_SEGMENT = "ZMD"
# What ADT messages say beyond the patient's own data.
MERGES = frozenset(("A18", "A30", "A34", "A35", "A36", "A39", "A40", "A41", "A42", *(f"A{n}" for n in range(43, 52))))
DELETIONS = frozenset(("A23", "A29"))
