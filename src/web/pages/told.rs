//! The summary of a refused form, in the words of the form: « Qui signe ? : choisissez une réponse. »
//!
//! INVARIANT: it only copies text that the page shows already, escaped as it stands there.
//!
//! A template writes its summary before its fields, and so cannot name them: this reads the finished page.

use crate::domain::text::EntryError;

const SUMMARY: &str = "role=\"alert\" tabindex=\"-1\" id=\"a-corriger\">";
const LINK: &str = "<a href=\"#f-";

/// How a name of a form may go on after the path that an error names.
const ENDINGS: [&str; 4] = ["", "[]", ":bool", ":int"];

/// A field of the page: the id of its element, its words, and what one does in it.
struct Field {
    id: String,
    label: String,
    act: &'static str,
}

fn without_tags(html: &str) -> String {
    let mut out = String::new();
    for piece in html.split('<') {
        out.push_str(piece.split_once('>').map_or(piece, |(_, text)| text));
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What stands between `open` and `close`, without the word « facultatif ».
fn inside<'h>(html: &'h str, open: &str, close: &str) -> Option<&'h str> {
    let (_, after) = html.split_once(open)?;
    let (words, _) = after.split_once(close)?;
    Some(words.split_once("<span class=\"optional\"").map_or(words, |(words, _)| words))
}

/// The field of a path; of a group that is missing altogether, the first field of the group.
fn find(html: &str, path: &str) -> Option<Field> {
    let within = |opens: &str| {
        let (_, rest) = html.split_once(&format!(" id=\"f-{path}{opens}"))?;
        let (name, _) = rest.split_once('"')?;
        Some(format!("f-{path}{opens}{name}"))
    };
    let own = ENDINGS.iter().find_map(|ending| field(html, &format!("f-{path}{ending}")));
    own.or_else(|| [".", "["].iter().find_map(|opens| field(html, &within(opens)?)))
}

fn field(html: &str, id: &str) -> Option<Field> {
    let (before, after) = html.split_once(&format!(" id=\"{id}\""))?;
    let (_, tag) = before.rsplit_once('<')?;
    let (rest, content) = after.split_once('>')?;
    let label = || inside(html, &format!(" for=\"{id}\">"), "</label>");
    let (words, act) = match tag.split(' ').next()? {
        "fieldset" => (inside(content, "<legend>", "</legend>")?, "choisissez une réponse"),
        "h2" => (content.split_once("</h2>")?.0, "choisissez une réponse"),
        "select" => (label()?, "choisissez une réponse"),
        _written if rest.contains("type=\"checkbox\"") => (label()?, "cochez cette case"),
        _written => (label()?, "remplissez ce champ"),
    };
    let label = without_tags(words);
    (!label.is_empty()).then_some(Field { id: id.to_owned(), label, act })
}

fn said(field: &Field, message: &str) -> String {
    if message == EntryError::Missing.french() {
        return format!("{} : {}.", field.label, field.act);
    }
    let mut letters = message.chars();
    let first = letters.next().map(char::to_lowercase).into_iter().flatten();
    format!("{} : {}", field.label, first.chain(letters).collect::<String>())
}

/// The page, with its summary naming the fields that it speaks of.
#[must_use]
pub fn named(html: String) -> String {
    let Some((before, rest)) = html.split_once(SUMMARY) else { return html };
    let Some((summary, after)) = rest.split_once("</div>") else { return html };
    let mut pieces = summary.split(LINK);
    let mut out = format!("{before}{SUMMARY}{}", pieces.next().unwrap_or_default());
    for piece in pieces {
        let Some((path, (message, rest))) =
            piece.split_once("\">").and_then(|(path, rest)| Some((path, rest.split_once("</a>")?)))
        else {
            out.push_str(LINK);
            out.push_str(piece);
            continue;
        };
        match find(after, path) {
            Some(field) => {
                out.push_str(&format!("<a href=\"#{}\">{}</a>", field.id, said(&field, message)));
            }
            // What is wrong is not on this page: it is told, without a way to nowhere.
            None => out.push_str(message),
        }
        out.push_str(rest);
    }
    out.push_str("</div>");
    out.push_str(after);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_names_the_fields_in_the_words_of_the_form() {
        let missing = EntryError::Missing.french();
        let page = format!(
            "<div class=\"summary no\" {SUMMARY}<ul><li><a href=\"#f-by\">{missing}</a></li><li><a href=\"#f-on\">{missing}</a>\
             </li><li><a href=\"#f-name\">Trop long.</a></li><li><a href=\"#f-kind\">{missing}</a></li><li><a href=\"#f-who\">{missing}</a></li><li>\
             <a href=\"#f-absent\">Ailleurs.</a></li></ul></div><fieldset class=\"field\" id=\"f-by\"><legend>Qui signe ?\
             </legend></fieldset><label for=\"f-on\">Quel jour ? <span class=\"optional\">facultatif</span></label>\
             <input id=\"f-on\"><label for=\"f-name\"><svg></svg> Nom</label><input id=\"f-name\"><label for=\"f-kind\">\
             Sujet</label><select id=\"f-kind\" required>\n<option value=\"\">…</option></select><h2 id=\"f-who\">À qui ?</h2>"
        );
        let named = named(page);
        for line in [
            "<a href=\"#f-by\">Qui signe ? : choisissez une réponse.</a>",
            "<a href=\"#f-on\">Quel jour ? : remplissez ce champ.</a>",
            "<a href=\"#f-name\">Nom : trop long.</a>",
            "<a href=\"#f-kind\">Sujet : choisissez une réponse.</a>",
            "<a href=\"#f-who\">À qui ? : choisissez une réponse.</a>",
            "<li>Ailleurs.</li>",
        ] {
            assert!(named.contains(line), "{line}\n{named}");
        }
    }

    #[test]
    fn a_page_without_a_summary_is_left_as_it_is() {
        let page = "<p id=\"a-corriger\">Rien</p><label for=\"f-x\">X</label>".to_owned();
        assert_eq!(named(page.clone()), page);
    }

    #[test]
    fn a_link_to_a_group_that_is_missing_reaches_its_first_field() {
        let missing = EntryError::Missing.french();
        let page = format!(
            "<div {SUMMARY}<a href=\"#f-person\">{missing}</a><a href=\"#f-calls\">{missing}</a></div>\
             <label for=\"f-person.nickname\">Surnom</label><input id=\"f-person.nickname\">\
             <label for=\"f-calls[0].who\">Qui</label><input id=\"f-calls[0].who\">"
        );
        let named = named(page);
        assert!(
            named.contains("<a href=\"#f-person.nickname\">Surnom : remplissez ce champ.</a>"),
            "{named}"
        );
        assert!(named.contains("<a href=\"#f-calls[0].who\">Qui : remplissez ce champ.</a>"), "{named}");
    }

    #[test]
    fn a_link_reaches_a_group_of_boxes() {
        let page = format!(
            "<div {SUMMARY}<a href=\"#f-lines\">Rien.</a></div><fieldset id=\"f-lines[]\"><legend>Cases</legend></fieldset>"
        );
        assert!(named(page).contains("<a href=\"#f-lines[]\">Cases : rien.</a>"));
    }
}
