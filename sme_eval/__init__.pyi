"""What `import sme_eval` offers; the module loads each name when it is first used."""

from sme_eval.errors import (
    SmeEvalError as SmeEvalError,
    DataError as DataError,
    DesignError as DesignError,
    IdentificationError as IdentificationError,
    ParameterError as ParameterError,
    VerificationError as VerificationError,
    DisclosureError as DisclosureError,
    RunError as RunError,
)
from sme_eval.terms import LANGUAGES as LANGUAGES, NEVER as NEVER
from sme_eval.results.unavailable import Unavailable as Unavailable
from sme_eval.results.estimate import Estimate as Estimate
from sme_eval.results.event_study import Aggregation as Aggregation, EventStudy as EventStudy
from sme_eval.results.group_time import GroupTimeEffects as GroupTimeEffects
from sme_eval.results.regression import RegressionResult as RegressionResult
from sme_eval.results.tables import regression_table as regression_table, coefficient_plot as coefficient_plot
from sme_eval.panel.sample import Sample as Sample
from sme_eval.panel.firm_panel import FirmPanel as FirmPanel, read_panel as read_panel
from sme_eval.moments.moments import Moments as Moments
from sme_eval.estimators.two_way_fixed_effects import TwoWayFixedEffects as TwoWayFixedEffects
from sme_eval.estimators.event_study_regression import EventStudyRegression as EventStudyRegression
from sme_eval.estimators.callaway_santanna import CallawaySantAnna as CallawaySantAnna
from sme_eval.estimators.panel_regression import PanelRegression as PanelRegression
from sme_eval.policies.policy import Policy as Policy, load_policies as load_policies
from sme_eval.simulate.ningbo import simulate_ningbo as simulate_ningbo
from sme_eval.intake import open_source as open_source
from sme_eval.evaluation.design import Design as Design
from sme_eval.evaluation.evaluate import evaluate as evaluate
from sme_eval.evaluation.repetition import repeat as repeat
from sme_eval.evaluation.disclosure import release as release
from sme_eval.evaluation.record import Evaluation as Evaluation
from sme_eval.briefing.render import render_briefing as render_briefing
from sme_eval.runs.designs import choose_design as choose_design
from sme_eval.runs.records import write_record as write_record
from sme_eval.runs.show import (
    fit_all as fit_all,
    plot_estimates as plot_estimates,
    plot_event_study as plot_event_study,
    outcomes_table as outcomes_table,
    published_table as published_table,
    companions_table as companions_table,
    repetitions_table as repetitions_table,
)
from sme_eval.runs.simulated import add_companion as add_companion, add_repetitions as add_repetitions

__version__: str
