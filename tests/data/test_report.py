"""The pages of data files: what is in them, in words and once."""

from zoo.data import report
from zoo.data.loading import describe


def rows(page):
    """The facts of a page by name."""
    lines = [line.split(" | ") for line in page.splitlines() if line.startswith("| **")]
    names = [name.removeprefix("| **").removesuffix("**") for name, _ in lines]
    assert len(set(names)) == len(names)
    return dict(zip(names, (value.removesuffix(" |") for _, value in lines), strict=True))


def test_windows_are_counted_by_part_and_class(simulated):
    found = rows(report.description(describe(simulated)))
    assert found["rows per window"] == "150"
    assert found["training windows"].endswith(")")
    assert "walking " in found["training windows"]
    assert (found["leaks"], found["problems"], found["simulated"]) == ("none", "none", "yes")


def test_rows_of_a_text_are_counted_and_their_places_named(simulated_trigrams):
    content = describe(simulated_trigrams)
    found = rows(report.description(content))
    assert found["test rows"] == f"{content['sizes']['L']:,}"
    assert found["test rows of the text"] == content["attributes"]["test_rows"]
    assert "(if all rows had been shuffled: " in found["test rows also in training"]


def test_problems_are_a_list_below_the_facts_in_which_commands_stay_as_they_are():
    problems = ["labels Walk, walk may be one: join them with `zoo data windows --classes`", "few windows"]
    page = report.dry_run({"files": [], "recordings": 0, "dropped": {}, "problems": problems})
    assert page.endswith(f"## Problems\n\n- {problems[0]}\n- few windows")
    assert "problems" not in rows(page)
