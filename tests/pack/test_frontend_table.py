"""The table of front ends in the record of `make test-host`."""

from support.frontend_table import frontend_table, version_in


def test_each_front_end_and_kind_of_nodes_has_its_row(tmp_path):
    (tmp_path / "comfyui_frontend_package-1.2.3.dist-info").mkdir()
    lines = [
        "PASSED   host/test_a.py::test_b[own, classic]",
        "FAILED   host/test_a.py::test_b[newest, Vue]",
        "PASSED   host/test_a.py::test_c[en-newest, Vue-3]",
        "PASSED   host/test_a.py::test_of_no_page[own words]",
    ]
    rows = frontend_table(lines, {"own": "1.0", "newest": version_in(tmp_path)})
    assert [row.split() for row in rows[1:]] == [
        ["own", "(1.0)", "classic", "1", "0"],
        ["own", "(1.0)", "Vue", "0", "0"],
        ["newest", "(1.2.3)", "classic", "0", "0"],
        ["newest", "(1.2.3)", "Vue", "1", "1"],
    ]
    assert version_in(tmp_path / "nowhere") == "not fetched"
