"""The only nbgrader configuration: the course lives in `build/`, and graded code runs in a sandbox under an examiner.

Plain `nbgrader autograde week2`, formgrader's *Autograde* button and `vitrina grade week2` all read it.
"""

from pathlib import Path

from nbconvert.preprocessors import ClearMetadataPreprocessor
from nbgrader.preprocessors import LimitOutput

from vitrina_autograder.feedback import FeedbackExporter
from vitrina_autograder.lateness import LatePolicy, carry_due
from vitrina_autograder.one_look import AssignLatePenalties, GetGrades, OverwriteCells, SaveAutoGrades
from vitrina_autograder.pages import CleanOutputs, clean_html, clean_markdown
from vitrina_autograder.preprocessors import Examination, SubmissionExporter, adopt_renamed

c = get_config()  # noqa: F821 (nbgrader provides it)

c.CourseDirectory.course_id = "interpretabilidad"
c.CourseDirectory.root = str(Path(__file__).resolve().parent / "build")
# A text source that strays into nbgrader's tree must never be released with its solutions.
c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc*", "__pycache__", ".*", "*.py"]

c.Autograde.exporter_class = SubmissionExporter
c.Autograde.pre_convert_hook = adopt_renamed
# The exporter has put everything else of a submission into the shape of the release, metadata included.
c.Autograde.sanitize_preprocessors = [OverwriteCells]
c.Autograde.autograde_preprocessors = [
    Examination,
    CleanOutputs,
    ClearMetadataPreprocessor,
    LimitOutput,
    SaveAutoGrades,
    AssignLatePenalties,
]

# A notebook is looked through once it is whole, not after every step.
c.Exporter.optimistic_validation = True

# Scripts in a student's outputs or Markdown never run in an instructor's page.
c.HTMLExporter.sanitize_html = True
c.HTMLExporter.filters = {"clean_html": clean_html, "markdown2html": clean_markdown}

# Due times, extensions and the late policy come from assignments/deadlines.toml and `vitrina extend`.
c.GenerateAssignment.post_convert_hook = carry_due
c.AssignLatePenalties.plugin_class = LatePolicy

# What a student gets back: points, hints and comments first, then the notebook; nothing that is hidden.
c.GenerateFeedback.exporter_class = FeedbackExporter
c.GenerateFeedback.preprocessors = [GetGrades]
