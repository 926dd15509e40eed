//! Whether a text can be a code of one of the public code systems: by its form and its check
//! digit. Which codes there are is licensed, or changes by the month, and is not kept here.

/// A code system that an input may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    /// Diagnoses of the United States.
    Icd10Cm,
    /// Procedures in hospitals of the United States.
    Icd10Pcs,
    /// SNOMED Clinical Terms.
    SnomedCt,
    /// Observations and documents.
    Loinc,
    /// Medications, by their RXCUI.
    RxNorm,
    /// Vaccines administered.
    Cvx,
    /// What services are billed by.
    Cpt,
    /// What supplies and further services are billed by.
    Hcpcs,
}

impl System {
    /// All of them.
    pub const ALL: [System; 8] = [
        System::Icd10Cm,
        System::Icd10Pcs,
        System::SnomedCt,
        System::Loinc,
        System::RxNorm,
        System::Cvx,
        System::Cpt,
        System::Hcpcs,
    ];

    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            System::Icd10Cm => "ICD-10-CM",
            System::Icd10Pcs => "ICD-10-PCS",
            System::SnomedCt => "SNOMED CT",
            System::Loinc => "LOINC",
            System::RxNorm => "RxNorm",
            System::Cvx => "CVX",
            System::Cpt => "CPT",
            System::Hcpcs => "HCPCS",
        }
    }

    /// A code of it, for sentences.
    pub const fn example(self) -> &'static str {
        match self {
            System::Icd10Cm => "E11.9",
            System::Icd10Pcs => "0DTJ4ZZ",
            System::SnomedCt => "73211009",
            System::Loinc => "2345-7",
            System::RxNorm => "6809",
            System::Cvx => "140",
            System::Cpt => "99213",
            System::Hcpcs => "G0439",
        }
    }

    /// The system of a name, however its words are joined: `ICD10CM`, `snomed-ct`.
    pub fn of_name(name: &str) -> Option<System> {
        let plain = |text: &str| -> String {
            let kept = text.chars().filter(char::is_ascii_alphanumeric);
            kept.map(|c| c.to_ascii_uppercase()).collect()
        };
        let wanted = plain(name);
        if wanted == "SNOMED" {
            return Some(System::SnomedCt);
        }
        System::ALL.into_iter().find(|system| plain(system.name()) == wanted)
    }

    /// The code as it is kept, if the text can be one.
    pub fn code(self, text: &str) -> Option<String> {
        let text = text.trim();
        match self {
            System::Icd10Cm => icd10cm(text),
            System::Icd10Pcs => icd10pcs(text),
            System::SnomedCt => is_snomed(text).then(|| text.to_owned()),
            System::Loinc => is_loinc(text).then(|| text.to_owned()),
            System::RxNorm => is_rxcui(text).then(|| text.to_owned()),
            System::Cvx => cvx(text).map(|number| format!("{number:02}")),
            System::Cpt => cpt(text),
            System::Hcpcs => hcpcs(text),
        }
    }
}

/// ICD-10-CM: a letter, a digit, a digit or letter, then up to four more behind a point.
/// Kept in capitals and with the point.
pub fn icd10cm(text: &str) -> Option<String> {
    let text = text.to_ascii_uppercase();
    let (head, tail) = match text.split_once('.') {
        Some((_, "")) => return None,
        Some(parts) => parts,
        None => text.split_at_checked(3)?,
    };
    let [letter, digit, third] = head.as_bytes() else { return None };
    let is_head =
        letter.is_ascii_uppercase() && digit.is_ascii_digit() && third.is_ascii_alphanumeric();
    let is_tail = tail.len() <= 4 && tail.bytes().all(|byte| byte.is_ascii_alphanumeric());
    match (is_head && is_tail, tail.is_empty()) {
        (false, _) => None,
        (true, true) => Some(head.to_owned()),
        (true, false) => Some(format!("{head}.{tail}")),
    }
}

/// ICD-10-PCS: seven digits or letters without I and O.
pub fn icd10pcs(text: &str) -> Option<String> {
    let text = text.to_ascii_uppercase();
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() && !matches!(byte, b'I' | b'O');
    (text.len() == 7 && text.bytes().all(is_part)).then_some(text)
}

/// CPT: four digits, then a digit or a letter of its categories.
fn cpt(text: &str) -> Option<String> {
    let text = text.to_ascii_uppercase();
    let [start @ .., last] = text.as_bytes() else { return None };
    let is_last = last.is_ascii_digit() || matches!(last, b'F' | b'T' | b'U' | b'M');
    (start.len() == 4 && start.iter().all(u8::is_ascii_digit) && is_last).then_some(text)
}

/// HCPCS level II: a letter from A to V, then four digits.
fn hcpcs(text: &str) -> Option<String> {
    let text = text.to_ascii_uppercase();
    let [first, rest @ ..] = text.as_bytes() else { return None };
    let is_code = (b'A'..=b'V').contains(first) && rest.iter().all(u8::is_ascii_digit);
    (rest.len() == 4 && is_code).then_some(text)
}

/// RxNorm's concept number: up to eight digits that begin with none of zero.
pub fn is_rxcui(text: &str) -> bool {
    text.len() <= 8 && is_number(text)
}

/// CVX: a number from 1 to 999, which lists write with two digits at least.
pub fn cvx(text: &str) -> Option<i64> {
    let is_text = text.len() <= 3 && !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|number| is_text && is_cvx(*number))
}

/// Whether a number can be a CVX code.
pub fn is_cvx(number: i64) -> bool {
    (1..=999).contains(&number)
}

/// A concept of SNOMED CT: six to eighteen digits, the partition of concepts in the two before
/// the last, a namespace of seven digits before it in the long form, and Verhoeff's check digit
/// at the end.
pub fn is_snomed(text: &str) -> bool {
    if !(6..=18).contains(&text.len()) || !is_number(text) {
        return false;
    }
    let partition = text.len().checked_sub(3).and_then(|at| text.get(at..at + 2));
    let is_concept = match partition {
        Some("00") => true,
        // At least one digit of its own, seven of the namespace, two of the partition, one check.
        Some("10") => text.len() >= 11,
        _ => false,
    };
    is_concept && verhoeff(text.bytes()) == Some(0)
}

/// LOINC: up to seven digits, a hyphen, and a check digit modulo ten.
pub fn is_loinc(text: &str) -> bool {
    let Some((number, check)) = text.split_once('-') else { return false };
    let is_form = number.len() <= 7 && is_number(number) && check.len() == 1;
    is_form && loinc_check(number).is_some_and(|digit| check == digit.to_string())
}

/// The check digit of a LOINC number: every second digit from the right doubled, the digits of
/// all summed, to the next multiple of ten.
pub fn loinc_check(number: &str) -> Option<u32> {
    let mut sum = 0;
    for (place, digit) in number.chars().rev().enumerate() {
        let digit = digit.to_digit(10)?;
        let weighed = if place.is_multiple_of(2) { digit * 2 } else { digit };
        sum += weighed / 10 + weighed % 10;
    }
    Some((10 - sum % 10) % 10)
}

/// Digits only, the first of them not zero.
fn is_number(text: &str) -> bool {
    !text.is_empty() && !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Multiplication of the dihedral group of order ten: 0 to 4 turn, 5 to 9 mirror.
fn times(a: u8, b: u8) -> u8 {
    let (turn_a, turn_b) = (a % 5, b % 5);
    let turned = if a < 5 { (turn_a + turn_b) % 5 } else { (turn_a + 5 - turn_b) % 5 };
    if (a < 5) == (b < 5) { turned } else { turned + 5 }
}

/// Verhoeff's permutation, which is applied as often as the digit's place from the right says.
const PERMUTED: [u8; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];

/// Verhoeff's sum of a number, check digit included: 0 where it holds.
fn verhoeff(digits: impl DoubleEndedIterator<Item = u8>) -> Option<u8> {
    let mut sum = 0;
    for (place, byte) in digits.rev().enumerate() {
        let mut digit = byte.checked_sub(b'0').filter(|digit| *digit < 10)?;
        for _ in 0..place % 8 {
            digit = PERMUTED.get(usize::from(digit)).copied()?;
        }
        sum = times(sum, digit);
    }
    Some(sum)
}

/// The digit that makes a number hold by Verhoeff, put behind it.
pub fn verhoeff_check(number: &str) -> Option<u8> {
    (0..10).find(|digit| {
        let check = std::iter::once(b'0' + digit);
        verhoeff(number.bytes().chain(check).collect::<Vec<_>>().into_iter()) == Some(0)
    })
}
