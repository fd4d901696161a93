//! A strict reader of comma-separated values (RFC 4180) that knows the line and the field of everything it returns.
//!
//! Accepts a byte order mark, LF, CRLF and CR, blank lines, and `#` comment lines where the file allows them. Refuses
//! invalid UTF-8, an open quote, text after a closing quote, a quote inside a bare field, and, for tables, a missing
//! or repeated column and a row that is too short or too long.
//!
//! THREAT: lenient readers (casbin's own among them) accept a short row or an unknown word and decide with it later.

use super::error::Finding;

/// What a file may contain beside rows.
#[derive(Clone, Copy, Debug)]
pub struct Dialect {
    /// Lines that start with `#` are comments.
    pub comments: bool,
    /// Spaces around bare fields are not part of them (casbin's habit: `p, a, b`).
    pub trim: bool,
}

impl Dialect {
    /// Files of `policies/` in table form.
    pub const TABLE: Self = Self { comments: true, trim: false };
    /// casbin rows.
    pub const POLICY: Self = Self { comments: true, trim: true };
    /// Files that users bring: every line is theirs.
    pub const ROWS: Self = Self { comments: false, trim: false };
}

/// One field and where it starts; `column` is its number in the row, from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    pub text: String,
    pub line: u32,
    pub column: u32,
}

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub line: u32,
    pub fields: Vec<Field>,
}

/// A header and rows of exactly its width.
#[derive(Clone, Debug)]
pub struct Table {
    pub file: String,
    pub header: Vec<Field>,
    pub rows: Vec<Row>,
}

fn next(n: u32) -> u32 {
    n.saturating_add(1)
}

/// Decodes, without its byte order mark.
fn decode<'a>(file: &str, bytes: &'a [u8]) -> Result<&'a str, Finding> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|error| {
        let (mut line, mut column) = (1, 1);
        for byte in bytes.iter().take(error.valid_up_to()) {
            match byte {
                b'\n' => (line, column) = (next(line), 1),
                b',' => column = next(column),
                _ => {}
            }
        }
        Finding::new(
            file,
            line,
            column,
            "octets qui ne sont pas de l'UTF-8 : enregistrez le fichier en UTF-8",
        )
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing read of this field yet.
    Start,
    Bare,
    Quoted,
    /// After a closing quote.
    Closed,
}

struct Scanner<'f> {
    file: &'f str,
    dialect: Dialect,
    line: u32,
    rows: Vec<Row>,
    fields: Vec<Field>,
    text: String,
    field_line: u32,
    state: State,
    row_line: u32,
}

impl Scanner<'_> {
    fn column(&self) -> u32 {
        next(u32::try_from(self.fields.len()).unwrap_or(u32::MAX))
    }

    fn refuse(&self, message: &str) -> Finding {
        Finding::new(self.file, self.line, self.column(), message)
    }

    fn end_field(&mut self) {
        let column = self.column();
        let raw = std::mem::take(&mut self.text);
        let text = match (self.dialect.trim, self.state) {
            (true, State::Start | State::Bare) => raw.trim_matches([' ', '\t']).to_owned(),
            (true, State::Quoted | State::Closed) | (false, _) => raw,
        };
        self.fields.push(Field { text, line: self.field_line, column });
        self.state = State::Start;
        self.field_line = self.line;
    }

    fn end_row(&mut self) {
        let blank = self.fields.is_empty()
            && self.state != State::Closed
            && self.text.chars().all(char::is_whitespace);
        if blank {
            self.text.clear();
            self.state = State::Start;
        } else {
            self.end_field();
            let fields = std::mem::take(&mut self.fields);
            self.rows.push(Row { line: self.row_line, fields });
        }
    }
}

/// Reads every row.
///
/// # Errors
/// The first thing that makes the rest unreadable.
pub fn rows(file: &str, bytes: &[u8], dialect: Dialect) -> Result<Vec<Row>, Finding> {
    let text = decode(file, bytes)?;
    let mut s = Scanner {
        file,
        dialect,
        line: 1,
        rows: Vec::new(),
        fields: Vec::new(),
        text: String::new(),
        field_line: 1,
        state: State::Start,
        row_line: 1,
    };
    let mut chars = text.chars().peekable();
    let mut comment = false;
    let mut line_start = true;
    while let Some(c) = chars.next() {
        // CRLF and a lone CR end a line as LF does; inside quotes they are kept as they are.
        let ends = match c {
            '\n' => true,
            '\r' if s.state == State::Quoted => {
                s.text.push(c);
                if chars.peek() != Some(&'\n') {
                    s.line = next(s.line);
                }
                continue;
            }
            '\r' => {
                if chars.peek() == Some(&'\n') {
                    chars.next();
                }
                true
            }
            _ => false,
        };
        if ends && s.state == State::Quoted {
            s.text.push('\n');
            s.line = next(s.line);
            continue;
        }
        if ends {
            if !comment {
                s.end_row();
            }
            comment = false;
            line_start = true;
            s.line = next(s.line);
            s.row_line = s.line;
            s.field_line = s.line;
            continue;
        }
        if line_start && c == '#' && dialect.comments {
            comment = true;
        }
        line_start = false;
        if comment {
            continue;
        }
        if c == '\0' {
            return Err(s.refuse("octet nul : ce n'est pas un fichier texte"));
        }
        match (s.state, c) {
            (State::Start | State::Bare | State::Closed, ',') => s.end_field(),
            (State::Start, '"') if s.text.is_empty() || dialect.trim => {
                s.text.clear();
                s.state = State::Quoted;
            }
            (State::Start | State::Bare, '"') => {
                return Err(
                    s.refuse("guillemet au milieu d'un champ : entourez le champ entier de guillemets")
                );
            }
            (State::Start, ' ' | '\t') if dialect.trim => s.text.push(c),
            (State::Start | State::Bare, _) => {
                s.state = State::Bare;
                s.text.push(c);
            }
            (State::Quoted, '"') => {
                if chars.peek() == Some(&'"') {
                    chars.next();
                    s.text.push('"');
                } else {
                    s.state = State::Closed;
                }
            }
            (State::Quoted, _) => s.text.push(c),
            (State::Closed, ' ' | '\t') if dialect.trim => {}
            (State::Closed, _) => return Err(s.refuse("texte après le guillemet fermant")),
        }
    }
    if s.state == State::Quoted {
        s.line = s.field_line;
        return Err(s.refuse("guillemet ouvert et jamais fermé"));
    }
    if !comment {
        s.end_row();
    }
    Ok(s.rows)
}

/// Reads a table: a header without repetition, then rows of its width.
///
/// # Errors
/// Every finding.
pub fn table(file: &str, bytes: &[u8], dialect: Dialect) -> Result<Table, Vec<Finding>> {
    let mut rows = rows(file, bytes, dialect).map_err(|f| vec![f])?.into_iter();
    let Some(header) = rows.next().map(|r| r.fields) else {
        return Err(vec![Finding::new(
            file,
            1,
            1,
            "fichier vide : la première ligne doit nommer les colonnes",
        )]);
    };
    let mut found = Vec::new();
    for (n, field) in header.iter().enumerate() {
        if header.iter().take(n).any(|earlier| earlier.text == field.text) {
            found.push(Finding::new(
                file,
                field.line,
                field.column,
                format!("la colonne « {} » est écrite deux fois", field.text),
            ));
        }
    }
    let width = header.len();
    let rows: Vec<Row> = rows.collect();
    for row in &rows {
        if row.fields.len() != width {
            let column = u32::try_from(row.fields.len().min(width))
                .unwrap_or(u32::MAX)
                .saturating_add(u32::from(row.fields.len() > width));
            found.push(Finding::new(
                file,
                row.line,
                column,
                format!("cette ligne a {} champs ; l'en-tête en a {width}", row.fields.len()),
            ));
        }
    }
    if found.is_empty() { Ok(Table { file: file.to_owned(), header, rows }) } else { Err(found) }
}

impl Table {
    /// Where `name` stands in the header, from 0.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|field| field.text == name)
    }

    /// Where each of `names` stands.
    ///
    /// # Errors
    /// One finding per missing column.
    pub fn columns<const N: usize>(&self, names: [&str; N]) -> Result<[usize; N], Vec<Finding>> {
        let mut found = Vec::new();
        let places = names.map(|name| {
            self.column(name).unwrap_or_else(|| {
                let line = self.header.first().map_or(1, |f| f.line);
                let column = next(u32::try_from(self.header.len()).unwrap_or(u32::MAX));
                found.push(Finding::new(
                    &self.file,
                    line,
                    column,
                    format!("il manque la colonne « {name} »"),
                ));
                usize::MAX
            })
        });
        if found.is_empty() { Ok(places) } else { Err(found) }
    }

    /// A finding at a field, named by its header.
    #[must_use]
    pub fn at(&self, field: &Field, message: impl Into<String>) -> Finding {
        let finding = Finding::new(&self.file, field.line, field.column, message);
        let place = usize::try_from(field.column).unwrap_or(usize::MAX).saturating_sub(1);
        match self.header.get(place) {
            Some(name) => finding.in_field(&name.text),
            None => finding,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(bytes: &[u8], dialect: Dialect) -> Vec<Vec<String>> {
        rows("f", bytes, dialect)
            .unwrap()
            .into_iter()
            .map(|r| r.fields.into_iter().map(|f| f.text).collect())
            .collect()
    }

    #[test]
    fn marks_line_ends_comments_and_blank_lines_are_understood() {
        assert_eq!(
            texts(b"\xEF\xBB\xBFa,b\r\n\r\n# c,\"\n1,\"x,\"\"y\"\"\"\r3,\n", Dialect::TABLE),
            vec![vec!["a", "b"], vec!["1", "x,\"y\""], vec!["3", ""]]
        );
        assert_eq!(texts(b"#a,b\n", Dialect::ROWS), vec![vec!["#a", "b"]]);
        assert_eq!(texts(b" p , \"a b\" ,c", Dialect::POLICY), vec![vec!["p", "a b", "c"]]);
        assert_eq!(texts(b" a, b", Dialect::ROWS), vec![vec![" a", " b"]]);
        assert_eq!(texts(b"\"\"\n", Dialect::ROWS), vec![vec![""]]);
        assert!(texts(b"  \n\n", Dialect::ROWS).is_empty());
        assert_eq!(texts(b"\"a\r\nb\",c", Dialect::ROWS), vec![vec!["a\r\nb", "c"]]);
    }

    #[test]
    fn every_refusal_says_where() {
        let place = |bytes: &[u8]| {
            let f = rows("f", bytes, Dialect::ROWS).unwrap_err();
            (f.line(), f.column())
        };
        assert_eq!(place(b"a,b\nc,\xFFd"), (2, 2));
        assert_eq!(place(b"a\n\nb,c\"d"), (3, 2));
        assert_eq!(place(b"a\n\"b\"c"), (2, 1));
        assert_eq!(place(b"a,\"b\n\nc"), (1, 2));
        assert_eq!(place(b"a,b,\0"), (1, 3));
        let lines: Vec<u32> =
            rows("f", b"\"a\n\nb\",x\n\n#\ny", Dialect::TABLE).unwrap().iter().map(|r| r.line).collect();
        assert_eq!(lines, vec![1, 6]);
    }

    #[test]
    fn a_table_refuses_repeated_columns_and_wrong_widths_all_at_once() {
        let found = table("f", b"a,b,a\n1,2,3\n1,2\n1,2,3,4\n", Dialect::ROWS).unwrap_err();
        let places: Vec<(u32, u32)> = found.iter().map(|f| (f.line(), f.column())).collect();
        assert_eq!(places, vec![(1, 3), (3, 2), (4, 4)]);
        assert!(table("f", b"", Dialect::ROWS).is_err());
        assert!(table("f", b"# only\n", Dialect::TABLE).is_err());
        let t = table("f", b"a,b\n1,2", Dialect::ROWS).unwrap();
        assert_eq!(t.columns(["b", "a"]).unwrap(), [1, 0]);
        assert_eq!(t.columns(["c", "d"]).unwrap_err().len(), 2);
    }

    proptest::proptest! {
        #[test]
        fn what_the_csv_crate_writes_reads_back(
            table in proptest::collection::vec(proptest::collection::vec("[a-z ,\"\r\n]{0,6}", 2..4), 1..6)
        ) {
            let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
            for row in &table {
                writer.write_record(row).unwrap();
            }
            let bytes = writer.into_inner().unwrap();
            proptest::prop_assert_eq!(texts(&bytes, Dialect::ROWS), table);
        }
    }
}
