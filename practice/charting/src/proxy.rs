//! What who acts for a client does not read (DOM-35): forms and notes that are confidential, and what
//! was made of them. One rule for all tables: treatment for a substance use disorder can be a minor's
//! alone to tell of (42 CFR 2.14), and an adult's is told with their consent in writing (42 CFR 2.31).
//! Who does not act for another reads what they may, as far as this rule goes.

use ward_store::{Actor, Cond};

use crate::tables::Confidentiality;

/// Templates and what was filled in: rows that say themselves how confidential they are.
pub fn open(actor: &Actor) -> Cond {
    match actor.proxy_id {
        None => Cond::Always,
        Some(_) => Cond::eq("confidentiality", Confidentiality::Normal.as_str()),
    }
}

/// Rows that name a template by this column, or none.
pub fn open_form(actor: &Actor, column: &str) -> Cond {
    named(open(actor), column, "custom_module_forms")
}

/// Rows that name what was filled in by this column, or nothing.
pub fn open_group(actor: &Actor, column: &str) -> Cond {
    named(open(actor), column, "form_answer_groups")
}

/// Rows that name all that was filled in by this column, a JSON list of the ids, or nothing: each of it
/// is open. What is deleted or not found is not.
pub fn open_groups(actor: &Actor, column: &str) -> Cond {
    match open(actor) {
        Cond::Always => Cond::Always,
        Cond::Never => Cond::is_null(column),
        Cond::Sql(text, params) => {
            let text = text.replace("{t}", "of_listed");
            Cond::sql(
                format!(
                    "({{t}}.{column} IS NULL OR NOT EXISTS (\
                     SELECT 1 FROM IDS_OF({{t}}.{column}) listed \
                     WHERE NOT EXISTS (SELECT 1 FROM form_answer_groups of_listed \
                     WHERE of_listed.org_id = {{t}}.org_id AND of_listed.id = listed.id \
                     AND of_listed.deleted_at IS NULL AND {text})))"
                ),
                params,
            )
        }
    }
}

/// Rows that name one of another table by this column for which a condition holds, or none; that row
/// is looked for by its id, be it deleted or not. Applied again, it leads on from that table.
pub fn named(holds: Cond, column: &str, table: &str) -> Cond {
    match holds {
        Cond::Always => Cond::Always,
        Cond::Never => Cond::is_null(column),
        Cond::Sql(text, params) => {
            let text = text.replace("{t}", &format!("of_{table}"));
            Cond::sql(
                format!(
                    "({{t}}.{column} IS NULL OR EXISTS (SELECT 1 FROM {table} of_{table} \
                     WHERE of_{table}.org_id = {{t}}.org_id AND of_{table}.id = {{t}}.{column} \
                     AND {text}))"
                ),
                params,
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dom_35_one_rule_leads_from_table_to_table() {
        let own = Actor::anonymous();
        assert!(named(open_group(&own, "a"), "b", "c").is_always());
        let acting = Actor { proxy_id: Some(7), ..own };
        let by_answer = named(open_group(&acting, "group_id"), "answer_id", "answers");
        let expected = "({t}.answer_id IS NULL OR EXISTS (SELECT 1 FROM answers of_answers \
             WHERE of_answers.org_id = {t}.org_id AND of_answers.id = {t}.answer_id \
             AND (of_answers.group_id IS NULL OR EXISTS (SELECT 1 FROM form_answer_groups \
             of_form_answer_groups WHERE of_form_answer_groups.org_id = of_answers.org_id \
             AND of_form_answer_groups.id = of_answers.group_id \
             AND of_form_answer_groups.confidentiality = ?))))";
        assert_eq!(by_answer, Cond::sql(expected, ["NORMAL".into()]));
    }
}
