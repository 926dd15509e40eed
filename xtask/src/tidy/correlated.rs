//! No condition lists for each row: `IN (SELECT … WHERE x.org_id = {t}.org_id …)` names the row
//! inside of the list, so that SQLite makes the whole list again for each row that it looks at. On
//! a page of notes that was 28 times the work of looking the one row up by its key, which is how
//! rules of who sees what are written: `EXISTS (SELECT 1 … WHERE x.org_id = {t}.org_id AND x.id =
//! {t}.user_id)`. What narrows a list to few rows makes its list once, and an index finds them:
//! `IN (SELECT … WHERE x.org_id = ? …)` with the organization that asks.

/// Where a list of the database begins.
const LIST: &str = "IN (SELECT ";

/// What names the row that is looked at.
const ROW: [&str; 2] = ["= {t}.org_id", "{t}.org_id ="];

/// Whether the file may have conditions on rows: all of the domains' own.
pub fn is_searched(name: &str) -> bool {
    name.starts_with("practice/") && name.contains("/src/")
}

/// Lists that are made again for each row, in the source of a file with conditions.
pub fn check(name: &str, source: &str) -> Vec<String> {
    let found = lines(source);
    found
        .iter()
        .map(|line| {
            format!(
                "{name}:{line} lists again for each row (`IN (SELECT … {}`): look one row up by its key with EXISTS, \
                 as visibility::of_user_in does, or list once with `= ?` and the organization that asks.",
                ROW[0]
            )
        })
        .collect()
}

/// The lines on which such lists begin.
fn lines(source: &str) -> Vec<usize> {
    let (text, line_of) = joined(source);
    let names_row = |at: &usize| {
        let (before, from) = text.split_at(*at);
        // JOIN (SELECT … is none.
        let is_word = !before.ends_with(char::is_alphanumeric);
        is_word && ROW.iter().any(|row| list(from).contains(row))
    };
    let begins = text.match_indices(LIST).map(|(at, _)| at);
    begins.filter(names_row).filter_map(|at| line_of.get(at).copied()).collect()
}

/// The source as the compiler reads its texts: a backslash at the end of a line joins it with the
/// next, `{{t}}` of a format is `{t}`, and white space is one space. With each byte's line.
fn joined(source: &str) -> (String, Vec<usize>) {
    let (mut text, mut line_of) = (String::new(), Vec::new());
    for (index, line) in source.lines().enumerate() {
        let line = line.trim();
        let line = line.strip_suffix('\\').map_or(line, str::trim_end);
        let words = line.replace("{{t}}", "{t}");
        for word in words.split_whitespace() {
            text.push_str(word);
            if !word.ends_with('(') {
                text.push(' ');
            }
            line_of.resize(text.len(), index + 1);
        }
    }
    (text, line_of)
}

/// A list to the bracket that closes it, or to the end of its text.
fn list(from: &str) -> &str {
    let mut depth = 0_usize;
    for (at, it) in from.char_indices() {
        match it {
            '(' => depth += 1,
            ')' if depth <= 1 => return from.get(..at).unwrap_or_default(),
            ')' => depth -= 1,
            '"' => return from.get(..at).unwrap_or_default(),
            _ => {}
        }
    }
    from
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(source: &str) -> Vec<usize> {
        lines(source)
    }

    #[test]
    fn a_list_that_names_the_row_is_found_however_it_is_broken_into_lines() {
        let one =
            r#"Cond::sql("{t}.id IN (SELECT g.id FROM users g WHERE g.org_id = {t}.org_id)", [])"#;
        assert_eq!(found(one), [1]);
        let several = "let a = 1;\nlet own = \"{t}.id IN (SELECT self.user_group_id FROM users self \\\n    \
            WHERE self.org_id = {t}.org_id AND self.id = ?)\";\n";
        assert_eq!(found(several), [2]);
        let apart = "\"{t}.id IN \\\n  (SELECT g.id \\\n  FROM users g WHERE g.org_id = \\\n  {t}.org_id)\"";
        assert_eq!(found(apart), [1]);
        let format = "format!(\"{{t}}.id IN (SELECT g.id FROM users g \\\n WHERE g.org_id = {{t}}.org_id AND ({rule}))\")";
        assert_eq!(found(format), [1]);
        let bracket = "\"{t}.id IN ( \\\n SELECT g.id FROM g WHERE {t}.org_id = g.org_id)\"";
        assert_eq!(found(bracket), [1]);
        let deep = "\"x IN (SELECT g.id FROM g WHERE (g.a = 1 OR EXISTS (SELECT 1 FROM h \\\n WHERE h.org_id = {t}.org_id)))\"";
        assert_eq!(found(deep), [1]);
    }

    #[test]
    fn what_is_looked_up_by_key_or_listed_once_is_fine() {
        let key =
            "\"EXISTS (SELECT 1 FROM users g WHERE g.org_id = {t}.org_id AND g.id = {t}.user_id)\"";
        let once = "\"{t}.id IN (SELECT g.id FROM users g WHERE g.org_id = ?)\"";
        let beside = "\"{t}.id IN (SELECT g.id FROM g WHERE g.org_id = ?) AND EXISTS (SELECT 1 FROM h \\\n \
            WHERE h.org_id = {t}.org_id)\"";
        let join = "\"JOIN (SELECT g.id FROM g WHERE g.org_id = {t}.org_id) h\"";
        let two = format!("f({once}, {key})");
        for fine in [key, once, beside, join, &two] {
            assert_eq!(found(fine), [0_usize; 0], "{fine}");
        }
    }

    #[test]
    fn it_is_told_of_all_conditions_of_the_domains() {
        assert!(is_searched("practice/charting/src/group_note/visibility.rs"));
        assert!(is_searched("practice/identity/src/restricted.rs"));
        assert!(is_searched("practice/charting/src/listing.rs"));
        assert!(!is_searched("practice/charting/tests/it/notes.rs"));
        assert!(!is_searched("foundation/store/src/visibility.rs"));
        let wrong = "\"IN (SELECT a FROM b WHERE c = {t}.org_id)\"";
        let told = check("practice/a/src/visibility.rs", wrong);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with("practice/a/src/visibility.rs:1 lists again"), "{told:?}");
    }
}
