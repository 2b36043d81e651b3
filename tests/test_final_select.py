"""How a criterion's SQL is cut: what is judged, what is said, what is looked up, and what is refused because it would be lost."""

import duckdb
import pytest

from pipelines.engines.final_select import HEAVY, LIGHT, Lookup, NotOneProjection, cut

COLUMNS = """told.patient_id, told.on_date, CAST(NULL AS VARCHAR) AS item, CASE WHEN value > $limit THEN 'met' ELSE 'not_met' END AS status,
    value AS grade, [record_id] AS evidence, [] AS missing, [concat(value, ', FROM ', said.text)] AS facts, [] AS notes, NULL AS margin"""
CTES = """WITH counted AS (   -- a comment with SELECT, ) and FROM
    SELECT patient_id, on_date, record_id, value FROM observation WHERE analyte = 'x)'
),
told AS (SELECT * FROM counted WHERE value IN (SELECT max(value) FROM counted)),
named AS (SELECT patient_id, 'a' AS text FROM told),
said AS (SELECT * FROM named)"""
LOOKED_UP = "LEFT JOIN said ON said.patient_id = told.patient_id"


def sql(columns: str = COLUMNS, after: str = f"told {LOOKED_UP}", ctes: str = CTES) -> str:
    return f"{ctes}\nSELECT {columns}\nFROM {after}"


class TestCut:
    def test_the_rows_end_with_the_cte_that_is_projected(self):
        final = cut(sql())
        assert final.source == "told"
        assert final.rows.startswith("WITH counted AS (") and final.rows.endswith("(SELECT max(value) FROM counted))")
        assert list(final.ctes) == ["counted", "told", "named", "said"]
        assert final.ctes["named"] == "SELECT patient_id, 'a' AS text FROM told"

    def test_each_expression_has_its_columns_name(self):
        expressions = cut(sql()).expressions
        assert tuple(expressions) == LIGHT + HEAVY
        assert expressions["on_date"] == "told.on_date" and expressions["grade"] == "value"
        assert expressions["status"] == "CASE WHEN value > $limit THEN 'met' ELSE 'not_met' END"
        assert expressions["facts"] == "[concat(value, ', FROM ', said.text)]"

    def test_a_further_column_is_kept_for_the_rules_that_read_it(self):
        assert tuple(cut(sql(f'{COLUMNS}, told."at", value AS raw')).expressions)[-2:] == ("at", "raw")

    def test_comments_are_no_part_of_it(self):
        commented = sql(
            COLUMNS.replace("grade,", "grade, -- , x AS y FROM z\n /* SELECT */"), f"told {LOOKED_UP} -- why"
        )
        assert cut(commented).expressions == cut(sql()).expressions
        assert cut(commented).joins == LOOKED_UP

    def test_letters_that_are_several_bytes_move_nothing(self):
        final = cut(sql(COLUMNS.replace("', FROM '", "'≥ é FROM '"), ctes=CTES.replace("a comment", "µ")))
        assert final.expressions["facts"] == "[concat(value, '≥ é FROM ', said.text)]" and final.joins == LOOKED_UP

    def test_the_two_parts_make_the_same_answer_as_the_whole(self):
        con = duckdb.connect()
        con.execute(
            """CREATE TABLE observation AS
            SELECT 'p' AS patient_id, DATE '2024-01-01' AS on_date, 7 AS record_id, 3 AS value, 'x)' AS analyte"""
        )
        whole = sql().replace("$limit", "2")
        final = cut(whole)
        con.execute(f"CREATE TABLE kept AS {final.rows} SELECT * FROM {final.source}")
        columns = ", ".join(f"{text} AS {name}" for name, text in final.expressions.items())
        ctes = ", ".join(final.telling("kept"))
        assert con.execute(f"WITH {ctes} SELECT {columns} FROM {final.source} {final.joins}").fetchall() == (
            con.execute(whole).fetchall()
        )


class TestLookups:
    def test_nothing_is_looked_up(self):
        final = cut(sql(after="told", columns=COLUMNS.replace("said.text", "''")))
        assert (final.joins, final.lookups, final.telling("kept")) == ("", [], [])

    @pytest.mark.parametrize("join", ["LEFT JOIN", "left join", "LEFT\n    JOIN"])
    def test_each_has_its_table_its_alias_and_its_condition(self, join: str):
        two = f"told {join} other AS a\n ON a.patient_id = told.patient_id AND a.item = 'x' {join} said ON said.x = told.y"
        assert cut(sql(after=two)).lookups == [
            Lookup("other", "a", "a.patient_id = told.patient_id AND a.item = 'x'"),
            Lookup("said", "said", "said.x = told.y"),
        ]

    def test_what_is_told_reads_only_the_rows_told_and_what_it_needs(self):
        ctes = cut(sql()).telling("kept_x")
        assert [cte.split(" AS ")[0] for cte in ctes] == ["told", "named", "said"]
        assert ctes[0] == "told AS (SELECT * FROM kept_x\n)"

    def test_a_condition_is_asked_of_rows_of_which_nothing_is_said_yet(self):
        lookup = Lookup("other", "gas", "gas.item = told.clock AND gas.on_date = told.gas_on AND told.biogas.x = 1")
        assert lookup.on_rows("given") == (
            "given.answer_item = told.clock AND given.on_date = told.gas_on AND told.biogas.x = 1"
        )


class TestRefused:
    @pytest.mark.parametrize(
        "after",
        [
            "told AS t",
            "told t",
            "told, said",
            "told JOIN said ON said.patient_id = told.patient_id",
            "told INNER JOIN said ON TRUE",
            "told CROSS JOIN said",
            "told LEFT JOIN said USING (patient_id)",
            f"told {LOOKED_UP} JOIN named ON TRUE",
            f"told {LOOKED_UP} WHERE said.text = 'a'",
            "told WHERE value > 1",
            "told GROUP BY ALL",
            f"told {LOOKED_UP} ORDER BY 1",
            f"told {LOOKED_UP} LIMIT 1",
            f"told {LOOKED_UP} QUALIFY TRUE",
            "(SELECT * FROM told)",
            "observation",  # no CTE of its own
        ],
    )
    def test_whatever_else_follows_from(self, after: str):
        with pytest.raises(NotOneProjection):
            cut(sql(after=after))

    @pytest.mark.parametrize(
        ("columns", "said"),
        [
            (f"DISTINCT {COLUMNS}", "has no name"),
            (COLUMNS.replace("value AS grade", "value + 1 grade"), "has no name"),
            (COLUMNS.replace("value AS grade,", ""), "its columns are"),
            (COLUMNS.replace("told.on_date", "later AS on_date"), "on_date is no plain column"),
            ("*", "has no name"),
        ],
    )
    def test_columns_that_would_not_be_what_they_seem(self, columns: str, said: str):
        with pytest.raises(NotOneProjection, match=said):
            cut(sql(columns))

    def test_a_union_of_two_selects(self):
        with pytest.raises(NotOneProjection, match="2 SELECTs"):
            cut(f"{sql(after='told')} UNION ALL SELECT * FROM told")

    def test_a_select_of_nothing(self):
        with pytest.raises(NotOneProjection, match="reads nothing"):
            cut(f"{CTES} SELECT 1")
