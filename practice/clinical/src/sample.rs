//! A small list of medications and of what people do not take well, to begin with: Ward's own
//! selection of generic names, with their public RxNorm numbers. It is no drug database: what is
//! not on it is written as it is called.

/// A generic medication, as it is offered.
#[derive(Debug, PartialEq, Eq)]
pub struct Drug {
    /// Of its ingredient in RxNorm.
    pub rxcui: u32,
    /// Generic.
    pub name: &'static str,
    /// Common ones, by mouth unless they say otherwise.
    pub strengths: &'static [&'static str],
}

const fn drug(rxcui: u32, name: &'static str, strengths: &'static [&'static str]) -> Drug {
    Drug { rxcui, name, strengths }
}

/// In the order of their names.
pub static DRUGS: [Drug; 32] = [
    drug(161, "Acetaminophen", &["325 mg", "500 mg"]),
    drug(435, "Albuterol", &["90 mcg/actuation inhaler"]),
    drug(17767, "Amlodipine", &["2.5 mg", "5 mg", "10 mg"]),
    drug(723, "Amoxicillin", &["250 mg", "500 mg"]),
    drug(1191, "Aspirin", &["81 mg", "325 mg"]),
    drug(1202, "Atenolol", &["25 mg", "50 mg", "100 mg"]),
    drug(83367, "Atorvastatin", &["10 mg", "20 mg", "40 mg", "80 mg"]),
    drug(18631, "Azithromycin", &["250 mg", "500 mg"]),
    drug(42347, "Bupropion", &["75 mg", "100 mg"]),
    drug(20610, "Cetirizine", &["5 mg", "10 mg"]),
    drug(2556, "Citalopram", &["10 mg", "20 mg", "40 mg"]),
    drug(3640, "Doxycycline", &["50 mg", "100 mg"]),
    drug(72625, "Duloxetine", &["20 mg", "30 mg", "60 mg"]),
    drug(321988, "Escitalopram", &["5 mg", "10 mg", "20 mg"]),
    drug(4493, "Fluoxetine", &["10 mg", "20 mg", "40 mg"]),
    drug(4603, "Furosemide", &["20 mg", "40 mg", "80 mg"]),
    drug(25480, "Gabapentin", &["100 mg", "300 mg", "400 mg"]),
    drug(5487, "Hydrochlorothiazide", &["12.5 mg", "25 mg"]),
    drug(5640, "Ibuprofen", &["200 mg", "400 mg", "600 mg", "800 mg"]),
    drug(10582, "Levothyroxine", &["25 mcg", "50 mcg", "75 mcg", "100 mcg"]),
    drug(29046, "Lisinopril", &["5 mg", "10 mg", "20 mg", "40 mg"]),
    drug(28889, "Loratadine", &["10 mg"]),
    drug(52175, "Losartan", &["25 mg", "50 mg", "100 mg"]),
    drug(6809, "Metformin", &["500 mg", "850 mg", "1000 mg"]),
    drug(6918, "Metoprolol", &["25 mg", "50 mg", "100 mg"]),
    drug(88249, "Montelukast", &["4 mg", "5 mg", "10 mg"]),
    drug(7646, "Omeprazole", &["10 mg", "20 mg", "40 mg"]),
    drug(8640, "Prednisone", &["5 mg", "10 mg", "20 mg"]),
    drug(36437, "Sertraline", &["25 mg", "50 mg", "100 mg"]),
    drug(36567, "Simvastatin", &["10 mg", "20 mg", "40 mg"]),
    drug(10737, "Trazodone", &["50 mg", "100 mg", "150 mg"]),
    drug(11289, "Warfarin", &["1 mg", "2 mg", "5 mg"]),
];

/// What is suggested, by the type of what it is.
pub static SUGGESTIONS: [(&str, &[&str]); 7] = [
    (
        "FOOD",
        &[
            "Cow's milk",
            "Egg",
            "Fish",
            "Peanut",
            "Sesame",
            "Shellfish",
            "Soy",
            "Tree nuts",
            "Wheat",
        ],
    ),
    (
        "DRUG",
        &[
            "Aspirin",
            "Cephalosporins",
            "Codeine",
            "Ibuprofen",
            "Iodinated contrast",
            "Penicillin",
            "Sulfonamides",
        ],
    ),
    (
        "ENVIRONMENTAL",
        &["Dust mites", "Grass pollen", "Insect stings", "Mold", "Ragweed", "Tree pollen"],
    ),
    ("PET", &["Cat dander", "Dog dander", "Horse dander"]),
    ("LATEX", &["Natural rubber latex"]),
    ("LIKE", &["Fruit", "Legumes", "Vegetables", "Whole grains"]),
    ("DISLIKE", &["Fish", "Meat", "Mushrooms", "Spicy food"]),
];

/// What is suggested for a category, where the type is not said.
pub static OF_CATEGORY: [(&str, &[&str]); 4] = [
    ("ALLERGY", &["FOOD", "DRUG", "ENVIRONMENTAL", "PET", "LATEX"]),
    ("SENSITIVITY", &["FOOD", "DRUG", "ENVIRONMENTAL"]),
    ("INTOLERANCE", &["FOOD", "DRUG"]),
    ("PREFERENCE", &["LIKE", "DISLIKE"]),
];
