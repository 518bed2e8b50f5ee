"""Policy evaluation for enterprise panels: what certification, rewards and cheaper credit did to growth, and what cannot be told.

The names below load when they are first used; `__init__.pyi` declares them for type checkers and editors.
"""

from __future__ import annotations

from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "errors": (
        "SmeEvalError", "DataError", "DesignError", "IdentificationError", "ParameterError", "VerificationError",
        "DisclosureError", "RunError",
    ),
    "terms": ("LANGUAGES", "NEVER"),
    "results.unavailable": ("Unavailable",),
    "results.estimate": ("Estimate",),
    "results.event_study": ("Aggregation", "EventStudy"),
    "results.group_time": ("GroupTimeEffects",),
    "results.regression": ("RegressionResult",),
    "results.poisson": ("PoissonResult",),
    "results.mundlak": ("MundlakResult",),
    "results.synthetic": ("SyntheticDiDResult",),
    "results.instrumental": ("FirstStage", "InstrumentalResult"),
    "results.dose": ("DistrictDoseResult",),
    "results.decomposition": ("Decomposition",),
    "results.tables": ("RegressionTable", "regression_table"),
    "results.coefficient_plot": ("coefficient_plot",),
    "results.dose_response": ("DoseResponseResult",),
    "results.matching": ("Matching",),
    "panel.sample": ("Sample",),
    "panel.firm_panel": ("FirmPanel",),
    "panel.panel_file": ("read_panel",),
    "moments.moments": ("Moments",),
    "checks.honest_did": ("HonestDiD", "honest_did"),
    "estimators.two_stage": ("TwoStageDiD",),
    "estimators.two_way_fixed_effects": ("TwoWayFixedEffects",),
    "estimators.event_study_regression": ("EventStudyRegression",),
    "estimators.callaway_santanna": ("CallawaySantAnna",),
    "estimators.imputation": ("ImputationDiD",),
    "estimators.stacked": ("StackedDiD",),
    "estimators.sun_abraham": ("SunAbraham",),
    "estimators.bacon": ("bacon_decomposition",),
    "estimators.triple_difference": ("TripleDifference",),
    "estimators.district_dose": ("DistrictDose",),
    "estimators.entry_arm": ("EntryArm", "Exposure"),
    "estimators.untangle": ("Untangle", "untangle"),
    "estimators.landmark": ("LandmarkDiD",),
    "estimators.before_after": ("BeforeAfter",),
    "estimators.panel_regression": ("PanelRegression",),
    "estimators.poisson_regression": ("PoissonRegression",),
    "estimators.first_differences": ("FirstDifferences",),
    "estimators.mundlak": ("MundlakRegression",),
    "estimators.synthetic_did": ("SyntheticDiD",),
    "estimators.instrumental_variables": ("InstrumentalVariables",),
    "estimators.dose_response": ("DoseResponse",),
    "estimators.cross_fitting": ("CrossFit",),
    "estimators.matching": ("match_firms",),
    "policies.policy": ("Policy", "load_instruments", "load_policies"),
    "policies.spells": ("Spells",),
    "policies.reward_schedule": ("load_reward_schedule",),
    "policies.districts": ("harmonise_districts",),
    "policies.eligibility": ("assess_eligibility",),
    "policies.size_standard": ("above_scale_threshold", "is_above_scale", "size_class"),
    "policies.tier_rule_files": ("rule_version_for",),
    "policies.notches": ("required_rd_intensity",),
    "policies.facts": ("Fact", "load_facts"),
    "policies.implied": ("implied_figures",),
    "estimators.list_growth": ("list_growth",),
    "results.list_growth": ("ListGrowth",),
    "simulate.ningbo": ("simulate_ningbo",),
    "intake": ("open_source",),
    "evaluation.design": ("Design",),
    "evaluation.evaluate": ("evaluate",),
    "evaluation.repetition": ("repeat",),
    "evaluation.disclosure": ("release",),
    "evaluation.record": ("Evaluation",),
    "briefing.render": ("render_briefing",),
    "runs.form": ("parameter_form",),
    "runs.records": ("for_question", "write_record"),
    "runs.show": (
        "fit_all", "plot_estimates", "plot_event_study", "outcomes_table", "published_table", "companions_table",
        "repetitions_table", "claims_table", "plot_design", "plot_bracket", "plot_districts", "plot_first_stage", "plot_parts",
        "power_table", "slopes_table", "listing_table", "parts_table",
    ),
    "runs.show_checks": ("checks_table", "check_table", "plot_check", "plot_curve", "curve_table"),
    "runs.show_letter": (
        "letter_table", "implied_table", "traps_table", "instruments_table", "growth_table", "plot_batches", "plot_populations",
        "plot_points", "plot_gap", "plot_list_growth",
    ),
    "runs.letter_page": ("write_letter",),
    "runs.simulated": ("add_companion", "add_repetitions", "open_policy"),
}  # fmt: skip
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = ["__version__", *_HOME]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
