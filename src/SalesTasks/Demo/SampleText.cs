using System.Globalization;
using System.Text;

namespace SalesTasks.Demo;

/// <summary>
/// Invented people, companies and addresses. Nobody can be reached through them: e-mail addresses end in names that RFC 2606 reserves,
/// telephone numbers are reserved for fiction or impossible.
/// </summary>
internal static class SampleText
{
    private static readonly Dictionary<string, (string[] First, string[] Last)> s_names = new(StringComparer.Ordinal)
    {
        ["es"] = (
            [
                "María", "Lucía", "Sofía", "Martina", "Valentina", "Camila", "Daniela", "Paula", "Elena", "Carmen", "Inés", "Alba",
                "Noelia", "Rocío", "Begoña", "Ximena", "Guadalupe", "Pilar", "Antonia", "Julieta", "José", "Juan", "Andrés", "Martín",
                "Matías", "Sebastián", "Nicolás", "Joaquín", "Ángel", "Álvaro", "Iñaki", "Raúl", "Hugo", "Óscar", "Emilio", "Tomás",
                "Gonzalo", "Íñigo", "Fermín", "Julián",
            ],
            [
                "García", "Rodríguez", "González", "Fernández", "López", "Martínez", "Sánchez", "Pérez", "Gómez", "Muñoz", "Núñez",
                "Peña", "Ibáñez", "Castaño", "Quiñones", "Ordóñez", "Zúñiga", "Vásquez", "Ramírez", "Herrera", "Aguirre", "Echeverría",
                "Bermúdez", "Cárdenas", "Montoya", "Salazar", "Villalobos", "Ríos", "Acuña", "Ocampo", "Barrios", "Cordero", "Delgado",
                "Escobar", "Fuentes", "Guerrero", "Luna", "Maldonado", "Naranjo", "Ortega", "Pacheco", "Quintana", "Robles", "Solís",
                "Tapia", "Urrutia", "Vega", "Yáñez", "Zamora", "Leal",
            ]),
        ["en"] = (
            [
                "James", "Mary", "Robert", "Patricia", "John", "Jennifer", "Michael", "Linda", "Emily", "Olivia", "Amelia", "Grace",
                "Chloe", "Zoë", "Renée", "Hannah", "Abigail", "Priya", "Aisha", "Mei", "William", "David", "Richard", "Joseph",
                "Thomas", "Daniel", "Matthew", "Anthony", "Mark", "Steven", "Andrew", "Kevin", "Brian", "George", "Oliver", "Harry",
                "Arjun", "Omar", "Kwame", "Siobhán",
            ],
            [
                "Smith", "Johnson", "Williams", "Brown", "Jones", "Miller", "Davis", "Wilson", "Anderson", "Taylor", "Moore", "Jackson",
                "Thompson", "White", "Harris", "Clark", "Lewis", "Robinson", "Walker", "Young", "Allen", "King", "Wright", "Scott",
                "Hill", "Green", "Adams", "Baker", "Nelson", "Carter", "Mitchell", "Roberts", "Turner", "Phillips", "Campbell",
                "Parker", "Evans", "Edwards", "Collins", "Stewart", "O'Neill", "O'Brien", "McCarthy", "Patel", "Khan", "Okafor",
                "Nguyen", "Brontë", "Fitzgerald", "Hughes",
            ]),
        ["pt"] = (
            [
                "João", "Maria", "Ana", "Beatriz", "Inês", "Luísa", "Mariana", "Letícia", "Larissa", "Conceição", "Antônio", "António",
                "Caio", "Davi", "Gonçalo", "Henrique", "Luís", "Mateus", "Otávio", "Rafael", "Simão", "Thaís", "Vitória", "Yara",
            ],
            [
                "Silva", "Santos", "Oliveira", "Souza", "Lima", "Pereira", "Ferreira", "Alves", "Ribeiro", "Araújo", "Magalhães",
                "Guimarães", "Conceição", "Gonçalves", "Simões", "Brandão", "Falcão", "Leitão", "Assunção", "Barbosa", "Cardoso",
                "Teixeira", "Nogueira", "Figueiró",
            ]),
        ["de"] = (
            [
                "Anna", "Jürgen", "Käthe", "Björn", "Sören", "Günther", "Lukas", "Felix", "Jonas", "Mia", "Lena", "Jörg", "Birgit",
                "Heike", "Ulrike", "Wolfgang", "Matthias", "Stefan", "Franziska", "Bärbel", "Hannelore", "Maximilian", "Tobias",
                "Ännchen",
            ],
            [
                "Müller", "Schmidt", "Schneider", "Fischer", "Weber", "Wagner", "Becker", "Schäfer", "Koch", "Bäcker", "Größer", "Weiß",
                "Köhler", "Krüger", "Lößner", "Vogel", "Jäger", "Groß", "Böhm", "Kühn", "Winter", "Sommer", "Brandt", "Zöllner",
            ]),
        ["fr"] = (
            [
                "Élodie", "Chloé", "Zoé", "Léa", "Camille", "Inès", "Noémie", "Aurélie", "Hélène", "Françoise", "François", "Rémi",
                "Loïc", "Jérôme", "Cédric", "Mathéo", "Gaël", "Benoît", "Théo", "Étienne", "Anaïs", "Maëlle", "Véronique", "Agnès",
            ],
            [
                "Martin", "Bernard", "Dubois", "Thomas", "Robert", "Petit", "Durand", "Leroy", "Moreau", "Lefèvre", "Mercier",
                "Garnier", "Chevalier", "François", "Gauthier", "Béranger", "Guérin", "Rivière", "Lemaître", "Noël", "Château",
                "D'Aubigné", "Le Goff", "Sébastien",
            ]),
    };

    private static readonly string[] s_brands =
    [
        "Alba", "Boreal", "Cima", "Delta", "Ember", "Fjord", "Grano", "Helio", "Índigo", "Jade", "Kiwi", "Lumen", "Mistral", "Norte",
        "Onda", "Pico", "Quill", "Roble", "Sable", "Terra", "Umbra", "Vela", "Wren", "Xenia", "Yarrow", "Zephyr", "Acorn", "Birch",
        "Cobalt", "Duna", "Elm", "Faro", "Glen", "Hazel", "Iris", "Junco", "Kelp", "Lago", "Menta", "Nácar", "Olmo", "Perla", "Quark",
        "Río", "Sauce", "Tejo", "Ursa", "Volta", "Warp", "Yuca", "Zinc", "Arce", "Brío", "Ciprés", "Dorado", "Éter", "Fresno", "Garza",
        "Halcón", "Lirio",
    ];

    private static readonly string[] s_companyEndings =
    [
        "", "Co", "24", "Lab", "Go", "One", "Group", "Partners", "Works", "Digital", "Systems", "Logistics", "Consulting", "Global",
        "Studio", "Trading", "Industrias", "Servicios", "Hermanos", "Sociedad", "Soluciones", "Comercial", "Network", "International",
    ];

    private static readonly string[] s_privateDomains = ["example.com", "example.net", "example.org"];

    /// <summary>NANPA keeps 555-0100 to 555-0199 of every area code for fiction.</summary>
    private static readonly string[] s_areaCodesUnitedStates =
    [
        "201", "202", "206", "212", "213", "214", "215", "216", "303", "305", "312", "313", "404", "408", "412", "415", "503", "512", "602",
        "617", "702", "713", "805", "919",
    ];

    /// <summary>Ofcom's numbers for drama use; the last three digits are free.</summary>
    private static readonly string[] s_prefixesUnitedKingdom =
    [
        "113 496 0", "114 496 0", "115 496 0", "116 496 0", "117 496 0", "118 496 0", "121 496 0", "131 496 0", "141 496 0",
        "151 496 0", "161 496 0", "20 7946 0", "29 2018 0", "1632 960", "7700 900",
    ];

    /// <summary>Bundesnetzagentur's "drama numbers"; the last three digits are free.</summary>
    private static readonly string[] s_prefixesGermany = ["30 23125 ", "40 66969 ", "69 90009 ", "221 4710 ", "89 99998 "];

    /// <summary>ARCEP's numbers for audiovisual works; the last four digits are free.</summary>
    private static readonly string[] s_prefixesFrance = ["1 99 00 ", "2 61 91 ", "3 53 01 ", "4 65 71 ", "5 36 49 ", "6 39 98 "];

    private static readonly Dictionary<string, string> s_callingCodes = new(StringComparer.Ordinal)
    {
        ["ES"] = "34",
        ["PT"] = "351",
        ["MX"] = "52",
        ["CO"] = "57",
        ["AR"] = "54",
        ["CL"] = "56",
        ["BR"] = "55",
    };

    public static string FirstName(SampleRandom random, string language) => random.Pick(s_names[language].First);

    /// <summary>One surname; in Spanish and Portuguese sometimes two.</summary>
    public static string LastName(SampleRandom random, string language)
    {
        var names = s_names[language].Last;
        var name = random.Pick(names);
        return language is "es" or "pt" && random.Chance(0.25) ? $"{name} {random.Pick(names)}" : name;
    }

    /// <summary>A name of its own for every company number.</summary>
    public static string CompanyName(int company)
    {
        var brand = s_brands[company % s_brands.Length];
        var ending = s_companyEndings[company / s_brands.Length % s_companyEndings.Length];
        var round = company / (s_brands.Length * s_companyEndings.Length);
        return (ending.Length == 0 ? brand : $"{brand} {ending}") + (round == 0 ? "" : $" {round + 1}");
    }

    /// <summary>A domain of its own for every company number, under the reserved top-level domain <c>example</c>.</summary>
    public static string CompanyDomain(int company) => Letters(CompanyName(company)) + ".example";

    /// <summary>
    /// The address of a lead, different for every lead: companies have leads with different <paramref name="slot"/>, private persons their
    /// <paramref name="number"/>.
    /// </summary>
    public static string Email(string? first, string? last, string? companyDomain, int slot, int number)
    {
        var firstLetters = Letters(first ?? "");
        var lastLetters = Letters(last ?? "");
        if (companyDomain is null)
        {
            return $"{firstLetters}{lastLetters}{number}@{s_privateDomains[number % s_privateDomains.Length]}";
        }

        var mailbox = (firstLetters, lastLetters) switch
        {
            ("", "") => $"info{slot}",
            ("", _) => $"{lastLetters}{slot}",
            ({ Length: > 0 }, { Length: > 0 }) when slot == 0 => $"{firstLetters}.{lastLetters}",
            _ => $"{firstLetters[..1]}{lastLetters}{slot}",
        };
        return $"{mailbox}@{companyDomain}";
    }

    public static string RepEmail(string first, string last, int number) => $"{Letters(first)}.{Letters(last)}{number}@sales.example";

    /// <summary>
    /// A number of the country's range for fiction; where a country keeps none, one whose national part starts with 000, which no numbering
    /// plan of the sample's countries contains.
    /// </summary>
    public static string Phone(SampleRandom random, string country) => country switch
    {
        "US" => $"+1 {random.Pick(s_areaCodesUnitedStates)} 555 {100 + random.Below(100):0000} ext. {random.Below(9000) + 1000}",
        "GB" => $"+44 {random.Pick(s_prefixesUnitedKingdom)}{random.Below(1000):000}",
        "DE" => $"+49 {random.Pick(s_prefixesGermany)}{random.Below(1000):000}",
        "FR" => $"+33 {random.Pick(s_prefixesFrance)}{random.Below(100):00} {random.Below(100):00}",
        _ => $"+{s_callingCodes[country]} 000 {random.Below(1000):000} {random.Below(1000):000}",
    };

    /// <summary>
    /// Lower-case ASCII letters and digits of a text, accents taken off (the program runs without globalisation data, which
    /// <see cref="string.Normalize()"/> would need).
    /// </summary>
    public static string Letters(string text)
    {
        const string Accented = "áàâãäåéèêëíìîïóòôõöúùûüýÿñçÁÀÂÃÄÅÉÈÊËÍÌÎÏÓÒÔÕÖÚÙÛÜÝÑÇß";
        const string Plain = "aaaaaaeeeeiiiiooooouuuuyyncAAAAAAEEEEIIIIOOOOOUUUUYNCs";
        var letters = new StringBuilder(text.Length);
        foreach (var character in text)
        {
            var place = Accented.IndexOf(character, StringComparison.Ordinal);
            var plain = place < 0 ? character : Plain[place];
            if (char.IsAsciiLetterOrDigit(plain))
            {
                letters.Append(char.ToLower(plain, CultureInfo.InvariantCulture));
            }
        }

        return letters.ToString();
    }
}
