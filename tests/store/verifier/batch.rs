//! Cases for the program in Python: files in one folder, one process for all of them.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

/// What must come out of one case.
struct Expected {
    name: String,
    code: i64,
    /// Words that the answer must contain.
    words: Option<String>,
}

/// Cases, until they are judged.
pub struct Batch {
    folder: TempDir,
    cases: String,
    expected: Vec<Expected>,
    files: usize,
}

impl Batch {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), cases: String::new(), expected: Vec::new(), files: 0 }
    }

    /// A file of this content; its name.
    pub fn file(&mut self, content: impl AsRef<[u8]>) -> String {
        self.files += 1;
        let name = format!("f{}", self.files);
        std::fs::write(self.folder.path().join(&name), content).unwrap();
        name
    }

    /// A command line, and whether it must succeed.
    pub fn command(&mut self, name: impl Into<String>, arguments: &[&str], holds: bool) -> &mut Self {
        self.case(name, &json!({"command": arguments}), holds)
    }

    /// Any case that `batch.py` knows.
    pub fn case(&mut self, name: impl Into<String>, case: &Value, holds: bool) -> &mut Self {
        self.cases.push_str(&case.to_string());
        self.cases.push('\n');
        self.expected.push(Expected { name: name.into(), code: i64::from(!holds), words: None });
        self
    }

    /// What the answer to the case just added must contain.
    pub fn saying(&mut self, words: impl Into<String>) {
        self.expected.last_mut().unwrap().words = Some(words.into());
    }

    /// The exit code of the case just added, where it is neither 0 nor 1.
    pub fn ending(&mut self, code: i64) {
        self.expected.last_mut().unwrap().code = code;
    }

    pub fn len(&self) -> usize {
        self.expected.len()
    }

    /// Runs Python once. Every case whose answer is another than expected is named.
    pub fn judge(self) {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        std::fs::write(self.folder.path().join("cases.jsonl"), &self.cases).unwrap();
        // Neither the environment nor installed packages (`-I -S`): it has the standard library alone, and says so.
        let ran = Command::new("python3")
            .args(["-I", "-S"])
            .arg(root.join("tests/store/verifier/batch.py"))
            .arg(root.join("docs/verifier"))
            .arg(self.folder.path())
            .output()
            .unwrap_or_else(|e| {
                panic!(
                    "`python3` is missing or cannot be run ({e}): install it, the second verifier needs it"
                )
            });
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        let answers = std::fs::read_to_string(self.folder.path().join("answers.jsonl")).unwrap();
        assert_eq!(answers.lines().count(), self.expected.len());
        let mut wrong = Vec::new();
        for (expected, answer) in self.expected.iter().zip(answers.lines()) {
            let answer: Value = serde_json::from_str(answer).unwrap();
            let said = answer["said"].as_str().unwrap();
            let words = expected.words.as_deref().is_none_or(|words| said.contains(words));
            if answer["code"] != expected.code || !words {
                wrong.push(format!(
                    "{}: wanted {}, {:?}: {answer}",
                    expected.name, expected.code, expected.words
                ));
            }
        }
        let first: Vec<_> = wrong.iter().take(12).collect();
        assert!(wrong.is_empty(), "{} of {}: {first:#?}", wrong.len(), self.expected.len());
    }
}

/// Chance that comes back the same at each run.
pub struct Dice(pub u64);

impl Dice {
    /// A number below `n` (splitmix64).
    pub fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % u64::try_from(n).unwrap()).unwrap()
    }
}
