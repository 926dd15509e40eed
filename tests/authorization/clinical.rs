//! What the arguments of clinical lists name.

use ward_tests::{Json, json};

use crate::meaning::Meaning::{self, May, Needs};
use crate::meaning::Object;
use crate::world::World;

/// The clinical lists of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    Medication,
    Allergy,
    Immunization,
    HealthConcern,
    Procedure,
    FamilyHistory,
    Smoking,
    /// The journal: metrics, meals, notes; what the owner said of an entry.
    Journal,
    Comment,
    /// A goal with a subgoal, which was reached today; that it was; an episode of care; an encounter.
    Goal,
    GoalHistory,
    Episode,
    Encounter,
    /// A care plan; one that has a goal, and that; a recommendation.
    Plan,
    PlanOfGoal,
    PlanGoal,
    Advice,
}

/// Root field, path of the value, what it names.
pub const OBJECTS: &[(&str, &str, Meaning)] = &[
    ("medication", "id", Needs(Object::Entry(List::Medication))),
    ("medications", "patient_id", Needs(Object::Client)),
    ("medications_count", "patient_id", Needs(Object::Client)),
    ("createMedication", "input.user_id", Needs(Object::Client)),
    ("updateMedication", "input.id", Needs(Object::Entry(List::Medication))),
    ("deleteMedication", "input.id", Needs(Object::Entry(List::Medication))),
    ("createAllergySensitivity", "input.user_id", Needs(Object::Client)),
    ("updateAllergySensitivity", "input.id", Needs(Object::Entry(List::Allergy))),
    ("updateAllergySensitivity", "input.user_id", May(Object::Client)),
    ("deleteAllergySensitivity", "input.id", Needs(Object::Entry(List::Allergy))),
    ("createImmunization", "input.user_id", Needs(Object::Client)),
    ("updateImmunization", "input.id", Needs(Object::Entry(List::Immunization))),
    ("updateImmunization", "input.user_id", May(Object::Client)),
    ("createHealthConcern", "input.user_id", Needs(Object::Client)),
    ("updateHealthConcern", "input.id", Needs(Object::Entry(List::HealthConcern))),
    ("deleteHealthConcern", "input.id", Needs(Object::Entry(List::HealthConcern))),
    ("createProcedure", "input.user_id", Needs(Object::Client)),
    ("updateProcedure", "input.id", Needs(Object::Entry(List::Procedure))),
    ("deleteProcedure", "input.id", Needs(Object::Entry(List::Procedure))),
    ("createFamilyHistory", "input.user_id", Needs(Object::Client)),
    ("updateFamilyHistory", "input.id", Needs(Object::Entry(List::FamilyHistory))),
    ("updateFamilyHistory", "input.user_id", May(Object::Client)),
    ("deleteFamilyHistory", "input.id", Needs(Object::Entry(List::FamilyHistory))),
    ("createSmokingStatus", "input.user_id", Needs(Object::Client)),
    ("updateSmokingStatus", "input.id", Needs(Object::Entry(List::Smoking))),
    ("deleteSmokingStatus", "input.id", Needs(Object::Entry(List::Smoking))),
    ("entry", "id", Needs(Object::Entry(List::Journal))),
    ("entry", "client_id", May(Object::Noted)),
    ("entry", "type", Meaning::Left),
    ("entries", "client_id", May(Object::Noted)),
    ("entries", "entry_id", May(Object::Entry(List::Journal))),
    ("entries", "group_id", May(Object::Group)),
    ("entries", "type", Meaning::Left),
    ("entriesCount", "client_id", May(Object::Noted)),
    ("entriesCount", "group_id", May(Object::Group)),
    ("entriesCount", "type", Meaning::Left),
    ("createEntry", "input.user_id", Needs(Object::Client)),
    ("bulkCreateEntries", "input.entries.user_id", Needs(Object::Client)),
    ("bulkCreateEntries", "input.entries.type", Meaning::Left),
    ("updateEntry", "input.id", Needs(Object::Entry(List::Journal))),
    ("updateEntry", "input.user_id", May(Object::Client)),
    ("updateEntry", "input.viewed", Meaning::Left),
    ("deleteEntry", "input.id", Needs(Object::Entry(List::Journal))),
    ("comment", "id", Needs(Object::Entry(List::Comment))),
    ("comments", "entry_id", May(Object::Entry(List::Journal))),
    ("comments", "entry_ids", May(Object::Entry(List::Journal))),
    ("createComment", "input.entry_id", Needs(Object::Entry(List::Journal))),
    ("createComment", "input.user_id", May(Object::Client)),
    ("deleteComment", "input.id", Needs(Object::Entry(List::Comment))),
    ("goal", "id", May(Object::Entry(List::Goal))),
    ("goal", "client_id", May(Object::Noted)),
    ("goals", "user_id", Needs(Object::Noted)),
    ("goalsCount", "user_id", Needs(Object::Noted)),
    ("goalsData", "user_id", Needs(Object::Client)),
    ("goalsOverallCompletionRateInfo", "user_id", Needs(Object::Noted)),
    ("goalsOverallCompletionRateInfo", "goal_id", May(Object::Entry(List::Goal))),
    ("subGoals", "goal_id", Needs(Object::Entry(List::Goal))),
    ("subGoals", "user_id", May(Object::Client)),
    ("subGoalsCount", "goal_id", Needs(Object::Entry(List::Goal))),
    ("subGoalsCount", "user_id", May(Object::Client)),
    ("goalHistory", "id", Needs(Object::Entry(List::GoalHistory))),
    ("goalHistories", "user_id", Needs(Object::Noted)),
    ("goalHistoriesCount", "user_id", Needs(Object::Noted)),
    ("createGoal", "input.user_id", Needs(Object::Client)),
    ("createGoal", "input.parent_id", May(Object::Entry(List::Goal))),
    ("createGoal", "input.care_plan_id", May(Object::Entry(List::Plan))),
    // Of the goal that is made or changed; the domain's tests name those of others.
    ("createGoal", "input.subgoals.id", Meaning::Left),
    ("updateGoal", "input.subgoals.id", Meaning::Left),
    ("updateGoal", "input.id", Needs(Object::Entry(List::Goal))),
    ("updateGoal", "input.user_id", May(Object::Client)),
    ("deleteGoal", "input.id", Needs(Object::Entry(List::Goal))),
    ("createGoalHistory", "input.goal_id", Needs(Object::Entry(List::Goal))),
    ("createGoalHistory", "input.user_id", May(Object::Client)),
    ("deleteGoalHistory", "input.id", Needs(Object::Entry(List::GoalHistory))),
    ("patientEncounter", "id", Needs(Object::Entry(List::Encounter))),
    ("patientEncounter", "patient_id", May(Object::Client)),
    // That of the encounter; the domain's tests name others.
    ("patientEncounter", "appointment_id", Meaning::Left),
    ("episodesOfCare", "ids", May(Object::Entry(List::Episode))),
    ("episodesOfCare", "patient_id", Needs(Object::Noted)),
    // Whose care it is narrows what is seen; the domain's tests name others.
    ("episodesOfCare", "provider_id", Meaning::Left),
    ("createEpisodeOfCare", "input.patient_id", Needs(Object::Client)),
    ("createEpisodeOfCare", "input.provider_id", Needs(Object::Provider)),
    ("createEpisodeOfCare", "input.diagnosis_id", Needs(Object::Entry(List::HealthConcern))),
    ("updateEpisodeOfCare", "input.id", Needs(Object::Entry(List::Episode))),
    ("updateEpisodeOfCare", "input.patient_id", Needs(Object::Client)),
    ("updateEpisodeOfCare", "input.provider_id", Needs(Object::Provider)),
    ("updateEpisodeOfCare", "input.diagnosis_id", Needs(Object::Entry(List::HealthConcern))),
    ("deleteEpisodeOfCare", "input.id", Needs(Object::Entry(List::Episode))),
    // Each encounter is answered alone, and one that is not there refuses nothing: the domain's
    // tests name those of others.
    (
        "linkEncounterToEpisodeOfCare",
        "input.episode_of_care_id",
        Needs(Object::Entry(List::Episode)),
    ),
    ("linkEncounterToEpisodeOfCare", "input.encounter_ids", Meaning::Data),
    (
        "unlinkEncounterToEpisodeOfCare",
        "input.episode_of_care_id",
        Needs(Object::Entry(List::Episode)),
    ),
    ("unlinkEncounterToEpisodeOfCare", "input.encounter_ids", Meaning::Data),
    ("carePlan", "id", Needs(Object::Entry(List::Plan))),
    ("carePlans", "patient_id", Needs(Object::Noted)),
    ("carePlansCount", "patient_id", Needs(Object::Noted)),
    ("createCarePlan", "input.patient_id", May(Object::Client)),
    ("updateCarePlan", "input.id", Needs(Object::Entry(List::Plan))),
    ("updateCarePlan", "input.new_patient_id", May(Object::Client)),
    ("updateCarePlan", "input.doc_id", May(Object::Document)),
    // A client's plan is no group's; the domain's tests give one to a group.
    ("updateCarePlan", "input.user_group_id", Meaning::Left),
    ("deleteCarePlan", "input.id", Needs(Object::Entry(List::Plan))),
    ("exportCarePlanToTemplate", "input.id", Needs(Object::Entry(List::Plan))),
    ("bulkApplyCarePlanTemplate", "input.id", Needs(Object::PlanTemplate)),
    ("bulkApplyCarePlanTemplate", "input.user_ids", Needs(Object::Client)),
    ("bulkApplyCarePlanTemplate", "input.user_group_ids", May(Object::Group)),
    ("updateByTemplate", "input.care_plan_id", Needs(Object::Entry(List::Plan))),
    ("updateByTemplate", "input.care_plan_template_id", Needs(Object::PlanTemplate)),
    ("toggleCarePlanStatusForSpecificUser", "input.id", Needs(Object::Entry(List::Plan))),
    ("toggleCarePlanStatusForSpecificUser", "input.patient_id", May(Object::Client)),
    ("updateGroupCarePlan", "input.id", Needs(Object::GroupPlan)),
    ("removeUserFromGroupCarePlan", "input.care_plan_id", Needs(Object::GroupPlan)),
    ("removeUserFromGroupCarePlan", "input.user_id", Needs(Object::Client)),
    ("bulkUpdateCarePlanUsers", "input.ids", Needs(Object::Entry(List::Plan))),
    ("sendCarePlanEmail", "input.id", Needs(Object::Entry(List::Plan))),
    ("sendCarePlanEmail", "input.patient_id", May(Object::Client)),
    ("deleteCarePlanConnection", "input.care_plan_id", Needs(Object::Entry(List::PlanOfGoal))),
    ("deleteCarePlanConnection", "input.connectable_id", Needs(Object::Entry(List::PlanGoal))),
    ("createRecommendation", "input.care_plan_id", Needs(Object::Entry(List::Plan))),
    (
        "createRecommendation",
        "input.care_plan_recommendation_category_id",
        May(Object::AdviceCategory),
    ),
    ("updateRecommendation", "input.id", Needs(Object::Entry(List::Advice))),
    (
        "updateRecommendation",
        "input.care_plan_recommendation_category_id",
        May(Object::AdviceCategory),
    ),
    ("deleteRecommendation", "input.id", Needs(Object::Entry(List::Advice))),
    ("updateCarePlanRecommendationCategory", "input.id", Needs(Object::AdviceCategory)),
    ("deleteCarePlanRecommendationCategory", "input.id", Needs(Object::AdviceCategory)),
    // Codes of public systems, and of the list that is offered: no record of an instance.
    ("medication_option", "id", Meaning::Data),
    ("createMedication", "input.dosage_option_id", Meaning::Left),
    ("createFamilyHistory", "input.concept_id", Meaning::Data),
    ("updateFamilyHistory", "input.concept_id", Meaning::Left),
];

/// Data that makes a call meaningful, by root field.
pub const DATA: &[(&str, &[&str])] = &[
    ("createMedication", &["name"]),
    ("updateMedication", &["name"]),
    ("createAllergySensitivity", &["name", "category"]),
    ("updateAllergySensitivity", &["name"]),
    ("createImmunization", &["vaccine_name", "cvx_code", "received_at"]),
    ("updateImmunization", &["vaccine_name"]),
    ("createHealthConcern", &["display_name"]),
    ("updateHealthConcern", &["display_name"]),
    ("createProcedure", &["display_name"]),
    ("updateProcedure", &["display_name"]),
    ("createFamilyHistory", &["relationships"]),
    ("updateFamilyHistory", &["relationships"]),
    ("createSmokingStatus", &["smoking_status_code"]),
    ("updateSmokingStatus", &["smoking_status_code"]),
    ("createComment", &["content"]),
    ("createEntry", &["type"]),
    ("bulkCreateEntries", &["entries.category", "entries.metric_stat"]),
    ("updateEntry", &["description"]),
    ("entries", &["is_org"]),
    ("entriesCount", &["is_org"]),
    ("createGoal", &["name"]),
    ("updateGoal", &["name"]),
    ("createEpisodeOfCare", &["start_date"]),
    ("updateEpisodeOfCare", &["start_date"]),
    ("createCarePlan", &["name"]),
    ("updateCarePlan", &["name"]),
    ("toggleCarePlanStatusForSpecificUser", &["activate"]),
    ("updateGroupCarePlan", &["is_active"]),
    ("deleteCarePlanConnection", &["connectable_type"]),
    ("createRecommendation", &["recommendation_body"]),
    ("updateRecommendation", &["recommendation_body"]),
    ("createCarePlanRecommendationCategory", &["name"]),
    ("updateCarePlanRecommendationCategory", &["name"]),
];

/// Names that open nothing.
pub const WORDS: &str = "
    active custom_name code dosage frequency route directions comment start_date end_date category
    category_type custom_reaction is_current onset_date reaction reaction_type severity status
    additional_notes cvx_code received_at vaccine_name description display_name effective_time
    code_system_name procedure_start_datetime procedure_end_datetime target_site relationships
    smoking_status_code status_start_datetime status_end_datetime
    created_at ed_posthunger ed_prehunger emotions metric_stat other_symptom perceived_hungriness
    is_reaction check_duplicates external_id_type percieved_hungriness reflection symptoms third_party_source hide_from_main_feed
    start_range end_range start_datetime_range end_datetime_range
    per_page frequency_filter status_filter last_client_goal include_subgoals unique repeat due_date
    start_on title_link completed_on mark_parent_complete action
    program_goal interval_type interval_value remove_reminder
    is_hidden is_managing_templates template_search_keywords templates_only is_template
    notify_client_by_email activate notify force_activation recommendation_type
";

/// The value of data of this domain.
pub fn data(world: &mut World, field: &str, name: &str) -> Option<Json> {
    Some(match (field, name) {
        ("medication_option", "id") => "rxnorm-6809".into(),
        ("createAllergySensitivity", "category") => "ALLERGY".into(),
        ("createEntry", "type") => "NoteEntry".into(),
        ("bulkCreateEntries", "category") => "Weight".into(),
        ("bulkCreateEntries", "metric_stat") => "72.5".into(),
        ("updateEntry", "description") => world.word().into(),
        ("entries" | "entriesCount", "is_org") => true.into(),
        ("createEpisodeOfCare" | "updateEpisodeOfCare", "start_date") => "2025-01-02".into(),
        (_, "encounter_ids") => json!(["none"]),
        ("toggleCarePlanStatusForSpecificUser", "activate") => true.into(),
        ("updateGroupCarePlan", "is_active") => true.into(),
        ("deleteCarePlanConnection", "connectable_type") => "Goal".into(),
        (_, "recommendation_body") => world.word().into(),
        (_, "cvx_code") => 140.into(),
        (_, "received_at") => "2025-01-02".into(),
        (_, "smoking_status_code") => "8517006".into(),
        (_, "concept_id") => world.concept().into(),
        (_, "relationships") => json!([world.word()]),
        (_, "vaccine_name" | "display_name") => world.word().into(),
        _ => return None,
    })
}

impl World {
    /// An entry of one of the lists of the client.
    pub fn entry(&mut self, own: bool, list: List) -> String {
        if matches!(list, List::Journal | List::Comment) {
            let (entry, comment) = self.journal(own);
            return if list == List::Journal { entry } else { comment };
        }
        if matches!(list, List::Goal | List::GoalHistory) {
            let (goal, history) = self.aim(own);
            return if list == List::Goal { goal } else { history };
        }
        if list == List::Encounter {
            return self.met(own);
        }
        if list == List::Episode {
            return self.care(own);
        }
        if matches!(list, List::Plan | List::PlanOfGoal | List::PlanGoal | List::Advice) {
            return self.of_plan(own, list);
        }
        let client = if own { self.client.clone() } else { self.about().0 };
        let word = if own { self.word() } else { self.unseen() };
        let (field, made, mut input) = match list {
            List::Medication => ("createMedication", "medication", json!({"name": word})),
            List::Allergy => {
                let input = json!({"name": word, "category": "ALLERGY"});
                ("createAllergySensitivity", "allergy_sensitivity", input)
            }
            List::Immunization => {
                let input =
                    json!({"vaccine_name": word, "cvx_code": 140, "received_at": "2025-01-02"});
                ("createImmunization", "immunization", input)
            }
            List::HealthConcern => {
                let input = json!({"display_name": word, "code": "I10"});
                ("createHealthConcern", "health_concern", input)
            }
            List::Procedure => ("createProcedure", "procedure", json!({"display_name": word})),
            List::FamilyHistory => {
                let concept = self.concept();
                let input = json!({"concept_id": concept, "relationships": [word]});
                ("createFamilyHistory", "family_history_condition", input)
            }
            List::Smoking => {
                let input = json!({"smoking_status_code": "8517006"});
                ("createSmokingStatus", "smokingStatus", input)
            }
            List::Journal
            | List::Comment
            | List::Goal
            | List::GoalHistory
            | List::Encounter
            | List::Episode
            | List::Plan
            | List::PlanOfGoal
            | List::PlanGoal
            | List::Advice => unreachable!("they are made above"),
        };
        input["user_id"] = client.into();
        self.make(field, &format!("{field}Input"), made, input)
    }

    /// A client who has entries, goals, a care plan, an episode of care and a consent to disclosure,
    /// whatever was asked before.
    pub fn noted(&mut self, own: bool) -> String {
        self.journal(own);
        self.aim(own);
        self.of_plan(own, List::Plan);
        self.care(own);
        self.consent(own);
        self.new_object(own, Object::Client)
    }

    /// An entry of the client's journal, and what is said of it.
    fn journal(&mut self, own: bool) -> (String, String) {
        let client = if own { self.client.clone() } else { self.about().0 };
        let mut word = || if own { self.word() } else { self.unseen() };
        let (words, content) = (word(), word());
        let input = json!({"user_id": client, "type": "NoteEntry", "description": words});
        let entry = self.make("createEntry", "createEntryInput", "entry", input);
        let input = json!({"entry_id": entry, "content": content});
        let comment = self.make("createComment", "createCommentInput!", "comment", input);
        (entry, comment)
    }

    /// A goal of the client's with a subgoal, which was reached today, and that it was.
    fn aim(&mut self, own: bool) -> (String, String) {
        let client = if own { self.client.clone() } else { self.about().0 };
        let mut word = || if own { self.word() } else { self.unseen() };
        let (name, part) = (word(), word());
        let input = json!({"user_id": client, "name": name, "repeat": "Daily",
            "subgoals": [{"name": part}]});
        let goal = self.make("createGoal", "createGoalInput", "goal", input);
        let input = json!({"goal_id": goal});
        let (field, made) = ("createGoalHistory", "goalHistory");
        let history = self.make(field, "createGoalHistoryInput", made, input);
        (goal, history)
    }

    /// A concept that no other entry has: a number with Verhoeff's digit.
    pub fn concept(&mut self) -> String {
        const PERMUTED: [usize; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
        self.concepts += 1;
        let number = format!("{}00", 100_000 + self.concepts);
        let holds = |check: &usize| {
            let digits = std::iter::once(*check)
                .chain(number.bytes().rev().map(|byte| usize::from(byte - b'0')));
            let mut sum = 0;
            for (place, mut digit) in digits.enumerate() {
                for _ in 0..place % 8 {
                    digit = PERMUTED[digit];
                }
                let turned = if sum < 5 { sum + digit % 5 } else { sum + 5 - digit % 5 } % 5;
                sum = if (sum < 5) == (digit < 5) { turned } else { turned + 5 };
            }
            sum == 0
        };
        format!("{number}{}", (0..10).find(holds).unwrap())
    }
}
