//! Encounters, episodes of care and care plans.

use ward_tests::json;
use ward_tests::people::id;

use crate::clinical::List;
use crate::meaning::Object;
use crate::principal::Site;
use crate::world::World;

impl World {
    /// The client's encounter at an appointment that occurred.
    pub fn met(&mut self, own: bool) -> String {
        let client = if own { self.client.clone() } else { self.about().0 };
        let (appointment, _) = self.appointment(own);
        let input = json!({"id": appointment, "pm_status": "Occurred"});
        self.make("updateAppointment", "updateAppointmentInput!", "appointment", input);
        let query = "query($at: ID, $who: ID) { patientEncounter(appointment_id: $at, patient_id: $who) { id } }";
        let found = self.as_owner().ask(query, json!({"at": appointment, "who": client}));
        id(&found.data()["patientEncounter"])
    }

    /// The care that the owner gives the client for a diagnosis.
    pub fn care(&mut self, own: bool) -> String {
        let client = if own { self.client.clone() } else { self.about().0 };
        let diagnosis = self.entry(own, List::HealthConcern);
        let input = json!({"patient_id": client, "provider_id": self.owner_id.clone(),
            "diagnosis_id": diagnosis, "start_date": "2025-01-02"});
        self.make("createEpisodeOfCare", "createEpisodeOfCareInput", "episode_of_care", input)
    }

    /// A care plan of the client's, which they see; one that has a goal, and that; what one advises.
    pub fn of_plan(&mut self, own: bool, list: List) -> String {
        let client = if own { self.client.clone() } else { self.about().0 };
        if matches!(list, List::PlanOfGoal | List::PlanGoal) {
            let query =
                "query($id: ID) { carePlans(patient_id: $id) { nodes { id goals { id } } } }";
            let reply = self.as_owner().ask(query, json!({"id": client}));
            let plans = reply.data()["carePlans"]["nodes"].as_array().cloned().unwrap_or_default();
            let there = plans.iter().find(|it| it["goals"][0]["id"].is_string());
            let (plan, goal) = match there {
                Some(it) => (id(it), id(&it["goals"][0])),
                None => self.plan_with_goal(own, &client),
            };
            return if list == List::PlanOfGoal { plan } else { goal };
        }
        let plan = self.plan(own, &client);
        if list == List::Plan {
            return plan;
        }
        let word = if own { self.word() } else { self.unseen() };
        let input = json!({"care_plan_id": plan, "recommendation_body": word});
        self.make("createRecommendation", "createRecommendationInput", "recommendation", input)
    }

    fn plan(&mut self, own: bool, client: &str) -> String {
        let name = if own { self.word() } else { self.unseen() };
        let input = json!({"patient_id": client, "name": name, "is_hidden": false});
        self.make("createCarePlan", "createCarePlanInput", "carePlan", input)
    }

    fn plan_with_goal(&mut self, own: bool, client: &str) -> (String, String) {
        let plan = self.plan(own, client);
        let name = if own { self.word() } else { self.unseen() };
        let input = json!({"user_id": client, "name": name, "care_plan_id": plan});
        let goal = self.make("createGoal", "createGoalInput", "goal", input);
        (plan, goal)
    }

    /// A template of care plans; the plan of a group, active for its client; a category of
    /// recommendations, which a root has for its units, too.
    pub fn of_plans(&mut self, own: bool, kind: Object) -> String {
        match kind {
            Object::PlanTemplate => {
                // It says nothing of anybody.
                let name = if self.here == Site::A { self.word() } else { self.unseen() };
                let input = json!({"name": name, "is_managing_templates": true});
                self.make("createCarePlan", "createCarePlanInput", "carePlan", input)
            }
            Object::GroupPlan => {
                let name = if own { self.word() } else { self.unseen() };
                let (client, group) = match own {
                    true => (self.client.clone(), self.client_group.clone()),
                    false => (self.about().0, self.group(name.clone())),
                };
                let input = json!({"name": name, "is_hidden": false});
                let made = self.make("createCarePlan", "createCarePlanInput", "carePlan", input);
                let input = json!({"id": made, "user_group_id": group});
                self.make("updateCarePlan", "updateCarePlanInput", "carePlan", input);
                let input = json!({"id": made, "patient_id": client, "activate": true});
                let field = "toggleCarePlanStatusForSpecificUser";
                self.make(field, &format!("{field}Input"), "carePlan", input)
            }
            _ => {
                // Units below read their parent's.
                let name = if own || self.here == Site::A { self.word() } else { self.unseen() };
                self.drop_categories();
                let field = "createCarePlanRecommendationCategory";
                let made = "care_plan_recommendation_category";
                self.make(field, &format!("{field}Input"), made, json!({"name": name}))
            }
        }
    }

    /// A practice has 200 categories at most: those of calls before go.
    fn drop_categories(&self) {
        let api = self.as_owner();
        let query = "{ organization { care_plan_recommendation_categories { id } } }";
        let found = api.ask(query, json!({}));
        let all = found.data()["organization"]["care_plan_recommendation_categories"].as_array();
        let all = all.cloned().unwrap_or_default();
        for it in all.iter().filter(|_| all.len() > 100) {
            let query = "mutation($id: ID) { deleteCarePlanRecommendationCategory(input: {id: $id}) { messages { message } } }";
            api.ask(query, json!({"id": it["id"]})).data();
        }
    }
}
