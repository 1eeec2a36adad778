"""Purposes: the tree in which a grant covers a request, and the reviewed table of foreign ones.

DPV's research purposes are siblings, so a consent to academic research would never match a request
for scientific research; our own purposes have several parents (decision C5), and notices and
requests use ours. Between two DPV terms the only edges are DPV's own, the education sector's
included (a test reads them from DPV 2.3); an edge from a foreign term up to one of ours would let
foreign words widen what a learner agreed to, so there is none.

`REVIEWED` says of each foreign purpose that people bring along what became of it and why. "same"
folds a spelling into the term it means, for grants and for requests alike, so both must mean
exactly that; "apart" is a purpose that looks like one of ours and is not.
"""

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

from policies.iris import DPV, EDU, ODRL, PREAU, Term

_EDUCATION: Final = (
    ("EducationManagement", "", "gestion de l'enseignement", "education management"),
    ("AccessManagement", "EducationManagement", "gestion des accès", "access management"),
    ("ServiceProvision", "EducationManagement dpv:ServiceProvision",
     "service d'enseignement", "provision of the education service"),
    ("ResearchManagement", "EducationManagement dpv:AcademicResearch",
     "gestion de la recherche en établissement", "research management in education"),
    ("ResearchDataManagement", "ResearchManagement",
     "gestion des données de recherche", "research data management"),
    ("ResearchIntegrityManagement", "ResearchManagement",
     "intégrité de la recherche", "research integrity"),
    ("ResearchUserStudyManagement", "ResearchManagement",
     "études avec des participants", "research studies with participants"),
    ("StaffManagement", "EducationManagement", "gestion du personnel", "staff management"),
    ("StaffPerformanceAssessment", "StaffManagement",
     "évaluation du personnel", "assessment of staff"),
    ("StudentManagement", "EducationManagement", "gestion des élèves", "student management"),
    ("StudentAdmissionManagement", "AccessManagement StudentManagement",
     "gestion des admissions", "admission management"),
    ("StudentAdmissionScreening", "StudentAdmissionManagement",
     "tri des candidatures", "screening of applications"),
    ("StudentEligibilityAssessment", "StudentAdmissionManagement",
     "examen de l'éligibilité", "assessment of eligibility"),
    ("StudentEnrolmentManagement", "StudentAdmissionManagement", "inscriptions", "enrolment"),
    ("StudentFeesManagement", "StudentAdmissionManagement", "frais de scolarité", "fees"),
    ("StudentFinancialBenefitsManagement", "StudentAdmissionManagement",
     "bourses et aides", "grants and benefits"),
    ("StudentSpecialNeedsManagement", "StudentAdmissionManagement",
     "besoins éducatifs particuliers", "special needs"),
    ("StudentCourseRecommendation", "StudentAdmissionManagement",
     "recommandation de cours", "course recommendation"),
    ("StudentProgramRecommendation", "StudentAdmissionManagement",
     "recommandation de formation", "programme recommendation"),
    ("StudentInstituteRecommendation", "StudentAdmissionManagement",
     "recommandation d'établissement", "recommendation of an institution"),
    ("StudentAllocation", "StudentManagement", "affectation des élèves", "allocation of students"),
    ("StudentCourseAllocation", "StudentAllocation",
     "affectation à un cours", "allocation to a course"),
    ("StudentProgramAllocation", "StudentAllocation",
     "affectation à une formation", "allocation to a programme"),
    ("StudentInstituteAllocation", "StudentAllocation",
     "affectation à un établissement", "allocation to an institution"),
    ("StudentPerformanceManagement", "StudentManagement",
     "gestion des résultats", "management of performance"),
    ("StudentPerformanceMonitoring", "StudentManagement",
     "suivi des résultats", "monitoring of performance"),
    ("StudentPerformanceAssessment", "StudentManagement",
     "évaluation des élèves", "assessment of students"),
    ("StudentAcademicPotentialAssessment", "StudentPerformanceAssessment",
     "évaluation du potentiel", "assessment of academic potential"),
    ("StudentLearningNeedsAssessment", "StudentPerformanceAssessment",
     "évaluation des besoins", "assessment of learning needs"),
    ("StudentLearningOutcomeAssessment", "StudentPerformanceAssessment",
     "évaluation des acquis", "assessment of learning outcomes"),
    ("StudentAssignmentAssessment", "StudentLearningOutcomeAssessment",
     "notation de devoirs", "assessment of assignments"),
    ("StudentExamAssessment", "StudentLearningOutcomeAssessment",
     "notation d'examens", "assessment of exams"),
    ("StudentIntegrityManagement", "StudentManagement",
     "intégrité académique", "academic integrity"),
    ("StudentIntegrityTraining", "StudentIntegrityManagement",
     "formation à l'intégrité", "training in integrity"),
    ("StudentIdentityVerification", "StudentIntegrityManagement",
     "vérification d'identité", "identity verification"),
    ("StudentMisconductInvestigation", "StudentIntegrityManagement",
     "enquête disciplinaire", "investigation of misconduct"),
    ("StudentPlagiarismDetection", "StudentIntegrityManagement",
     "détection du plagiat", "detection of plagiarism"),
    ("StudentCheatingAssessment", "StudentIntegrityManagement",
     "détection de la fraude", "detection of cheating"),
    ("StudentProctoring", "StudentCheatingAssessment", "surveillance d'examens", "proctoring"),
    ("StudentInPersonProctoring", "StudentProctoring",
     "surveillance d'examens sur place", "proctoring in person"),
    ("StudentOnlineProctoring", "StudentProctoring",
     "télésurveillance d'examens", "online proctoring"),
    ("StudentWellbeingManagement", "StudentManagement", "bien-être des élèves", "wellbeing"),
    ("StudentGuidanceManagement", "StudentWellbeingManagement",
     "accompagnement des élèves", "guidance of students"),
    ("StudentSocialActivitiesManagement", "StudentManagement",
     "activités sociales", "social activities"),
    ("StudentAttendanceManagement", "ServiceProvision", "gestion de l'assiduité", "attendance"),
    ("StudentContentDelivery", "ServiceProvision", "diffusion de contenus", "content delivery"),
    ("StudentPersonalisedContentDelivery", "ServiceProvision dpv:Personalisation",
     "contenus personnalisés", "personalised content"),
    ("StudentLearningFeedbackManagement", "ServiceProvision",
     "retours sur l'apprentissage", "feedback on learning"),
    ("StudentResourceAccessManagement", "ServiceProvision",
     "accès aux ressources", "access to resources"),
)  # fmt: skip


def _education() -> dict[str, Term]:
    """DPV's education sector: its purposes under DPV's own edges, as far as we know both ends."""
    found = {}
    for word, parents, fr, en in _EDUCATION:
        broader = tuple(
            DPV + parent.removeprefix("dpv:") if parent.startswith("dpv:") else EDU + parent
            for parent in parents.split()
        )
        found[EDU + word] = Term(broader, fr, en)
    return found


PURPOSES: Final[Mapping[str, Term]] = {
    DPV + "ResearchAndDevelopment": Term(
        (), "recherche et développement", "research and development"
    ),
    DPV + "AcademicResearch": Term(
        (DPV + "ResearchAndDevelopment",), "recherche académique", "academic research"
    ),
    DPV + "ScientificResearch": Term(
        (DPV + "ResearchAndDevelopment",), "recherche scientifique", "scientific research"
    ),
    DPV + "CommercialResearch": Term(
        (DPV + "ResearchAndDevelopment",), "recherche commerciale", "commercial research"
    ),
    DPV + "NonCommercialResearch": Term(
        (DPV + "ResearchAndDevelopment",), "recherche non commerciale", "non-commercial research"
    ),
    DPV + "PublicBenefit": Term((), "intérêt public", "public benefit"),
    DPV + "ProvideOfficialStatistics": Term(
        (DPV + "PublicBenefit",), "statistique publique", "official statistics"
    ),
    DPV + "ServiceManagement": Term((), "gestion du service", "service management"),
    DPV + "ServiceProvision": Term(
        (DPV + "ServiceManagement",), "fourniture du service", "service provision"
    ),
    DPV + "ServiceOptimisation": Term(
        (DPV + "ServiceManagement",), "amélioration du service", "service optimisation"
    ),
    DPV + "Personalisation": Term((), "personnalisation", "personalisation"),
    DPV + "ServicePersonalisation": Term(
        (DPV + "Personalisation", DPV + "ServiceManagement"),
        "personnalisation du service",
        "service personalisation",
    ),
    DPV + "Marketing": Term((), "marketing", "marketing"),
    **_education(),
    PREAU + "NonCommercialResearch": Term(
        (DPV + "NonCommercialResearch",),
        "recherche sans but commercial",
        "research without commercial aim",
    ),
    PREAU + "EducationResearch": Term(
        (DPV + "AcademicResearch", DPV + "ScientificResearch", PREAU + "NonCommercialResearch"),
        "recherche en éducation",
        "education research",
    ),
    PREAU + "LearningAnalyticsResearch": Term(
        (PREAU + "EducationResearch",),
        "recherche en analytique de l'apprentissage",
        "learning analytics research",
    ),
    PREAU + "ResearchUserStudies": Term(
        (PREAU + "EducationResearch", EDU + "ResearchUserStudyManagement"),
        "études de recherche en éducation avec des participants",
        "education research studies with participants",
    ),
    PREAU + "LearningAnalytics": Term(
        (DPV + "ServiceOptimisation",), "analytique de l'apprentissage", "learning analytics"
    ),
    PREAU + "TeachingImprovement": Term(
        (PREAU + "LearningAnalytics",),
        "amélioration de l'enseignement",
        "improvement of teaching",
    ),
    PREAU + "Statistics": Term(
        (DPV + "PublicBenefit",), "statistiques sur l'éducation", "education statistics"
    ),
    PREAU + "CommercialResearch": Term(
        (DPV + "CommercialResearch",), "recherche à but commercial", "research for commercial aims"
    ),
    # Under no purpose of the education sector: consent to admission is none to AI for admission.
    PREAU + "ArtificialIntelligence": Term(
        (), "décisions d'intelligence artificielle sur des élèves", "AI that decides about learners"
    ),
    PREAU + "AIAdmission": Term(
        (PREAU + "ArtificialIntelligence",), "IA pour l'admission", "AI for admission"
    ),
    PREAU + "AIAssessment": Term(
        (PREAU + "ArtificialIntelligence",), "IA pour l'évaluation", "AI for assessment"
    ),
    PREAU + "AIOrientation": Term(
        (PREAU + "ArtificialIntelligence",), "IA pour l'orientation", "AI for orientation"
    ),
    PREAU + "AIMonitoring": Term(
        (PREAU + "ArtificialIntelligence",), "IA pour la surveillance", "AI for monitoring"
    ),
    PREAU + "EmotionInference": Term(
        (), "déduction des émotions", "inference of emotions"
    ),
}  # fmt: skip


class Reviewed(NamedTuple):
    """What became of one foreign purpose: the term it means ("same") or is not ("apart"), why."""

    relation: Literal["same", "apart"]
    term: str
    why: str


def _spellings() -> dict[str, Reviewed]:
    """DPV's own terms under the names of its OWL serialisations, old and new."""
    why = "the same DPV concept in its OWL serialisation"
    words = (
        "AcademicResearch",
        "ScientificResearch",
        "CommercialResearch",
        "NonCommercialResearch",
    )
    return {
        base + word: Reviewed("same", DPV + word, why)
        for base in ("https://w3id.org/dpv/dpv-owl#", "https://w3id.org/dpv/owl#")
        for word in words
    }


REVIEWED: Final[Mapping[str, Reviewed]] = {
    **_spellings(),
    ODRL + "academicResearch": Reviewed(
        "same",
        DPV + "AcademicResearch",
        "written by connectors whose examples use ODRL's name space; the words mean DPV's term",
    ),
    DPV + "ResearchAndDevelopment": Reviewed(
        "apart",
        PREAU + "EducationResearch",
        "broader: it includes commercial research; a grant for it covers ours, never the reverse",
    ),
    DPV + "AcademicResearch": Reviewed(
        "apart",
        PREAU + "EducationResearch",
        "broader: academic research on anything; a grant for it covers ours, never the reverse",
    ),
    DPV + "ScientificResearch": Reviewed(
        "apart",
        PREAU + "EducationResearch",
        "broader, and a sibling of academic research in DPV; a grant for it covers ours",
    ),
    DPV + "NonCommercialResearch": Reviewed(
        "apart",
        PREAU + "NonCommercialResearch",
        "broader: it says how research is paid for, not who does it; a grant for it covers ours",
    ),
    DPV + "CommercialResearch": Reviewed(
        "apart",
        PREAU + "EducationResearch",
        "never covered by consent to research without commercial aim",
    ),
    EDU + "ResearchManagement": Reviewed(
        "apart",
        PREAU + "EducationResearch",
        "administration of research by the institution, not research on its learners' data",
    ),
    EDU + "ResearchUserStudyManagement": Reviewed(
        "apart",
        PREAU + "EducationResearch",
        "studies on any subject; preau:ResearchUserStudies is under both",
    ),
    EDU + "StudentPerformanceMonitoring": Reviewed(
        "apart",
        PREAU + "LearningAnalytics",
        "follows single learners; learning analytics here improves the service",
    ),
    EDU + "StudentPerformanceAssessment": Reviewed(
        "apart",
        PREAU + "LearningAnalytics",
        "judges single learners, with effects on them; asks for its own consent or basis",
    ),
    EDU + "StudentLearningFeedbackManagement": Reviewed(
        "apart",
        PREAU + "TeachingImprovement",
        "feedback to the learner is a service, no improvement of teaching from everybody's data",
    ),
    EDU + "StudentProctoring": Reviewed(
        "apart",
        PREAU + "AIMonitoring",
        "with or without AI; where it is AI, the purpose is ours and asks for its reference",
    ),
    EDU + "StudentAdmissionScreening": Reviewed(
        "apart",
        PREAU + "AIAdmission",
        "with or without AI; where it is AI, the purpose is ours and asks for its reference",
    ),
    DPV + "ProvideOfficialStatistics": Reviewed(
        "apart",
        PREAU + "Statistics",
        "official statistics are a task given by law; ours is any statistics on education",
    ),
    "http://purl.obolibrary.org/obo/DUO_0000018": Reviewed(
        "apart",
        DPV + "NonCommercialResearch",
        "not-for-profit use of any kind: it does not say that the use is research",
    ),
    "http://purl.obolibrary.org/obo/DUO_0000042": Reviewed(
        "apart",
        DPV + "ScientificResearch",
        "general research use, commercial use included",
    ),
}

FOREIGN_PURPOSES: Final[Mapping[str, str]] = {
    foreign: found.term for foreign, found in REVIEWED.items() if found.relation == "same"
}
