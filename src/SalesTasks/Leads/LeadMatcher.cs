using SalesTasks.Encryption;

namespace SalesTasks.Leads;

/// <summary>What makes two rows the same person.</summary>
internal enum MatchRule
{
    /// <summary>The same e-mail address; or the same phone number where the names agree and the addresses do not differ.</summary>
    EmailOrNamedPhone,

    /// <summary>The same e-mail address.</summary>
    Email,

    /// <summary>The same e-mail address, else the same phone number.</summary>
    EmailOrPhone,
}

/// <summary>
/// What tells people apart, in the form in which it compares: addresses and names in lower case, digits of the phone number. Null or empty:
/// not known.
/// </summary>
internal sealed record PersonKeys(string ExtId, string? Email, string? Phone, string? FirstName, string? LastName);

/// <summary>A row that was found to be a lead known under another id.</summary>
/// <param name="Seq">The staged row.</param>
/// <param name="Alias">Its own id.</param>
/// <param name="Target">The lead's id.</param>
/// <param name="MatchedBy">email or phone.</param>
internal sealed record PersonMatch(long Seq, string Alias, string Target, string MatchedBy);

/// <summary>
/// Finds the people that come in a second time under another id. Rows are looked at one by one in the order they were read, each against
/// all leads known by then, those of earlier rows and what earlier rows filled in included. So the outcome is the same in batches of any
/// size, and after an interruption.
/// </summary>
/// <param name="rule">What counts as the same person.</param>
/// <param name="fill">Whether a match fills what the lead lacks, and may be found by it later.</param>
internal sealed class LeadMatcher(MatchRule rule, bool fill)
{
    /// <summary>Of the people with one number, only so many of the oldest are looked at; the same limit as in known_people.sql.</summary>
    private const int MostPeopleOfANumber = 50;

    private readonly Dictionary<string, Person> _byId = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Person> _byEmail = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<Person>> _byPhone = new(StringComparer.Ordinal);

    /// <summary>People known.</summary>
    public int Count => _byId.Count;

    /// <summary>People that rows created or filled, with the row that did so last.</summary>
    public IEnumerable<(long Seq, PersonKeys Keys)> Touched =>
        _byId.Values.Where(person => person.Seq > 0).OrderBy(person => person.Seq).Select(person => (person.Seq, person.Keys));

    /// <summary>The phone number where it identifies somebody: long enough, and not one digit over and over.</summary>
    public static string? Identifying(string? phone) =>
        phone is { Length: > 0 } && PhoneDigits.Identify(phone) ? phone : null;

    /// <summary>Forgets everybody, for the next batch: its tables are large, and made anew for every batch they pile up.</summary>
    public void Clear()
    {
        _byId.Clear();
        _byEmail.Clear();
        _byPhone.Clear();
    }

    /// <summary>Adds a lead that exists; leads come oldest first. Given again it is the same lead with more known of it.</summary>
    public void Add(PersonKeys keys)
    {
        if (_byId.TryGetValue(keys.ExtId, out var known))
        {
            Register(known, known.Keys with
            {
                Email = Or(known.Keys.Email, keys.Email),
                Phone = Or(known.Keys.Phone, keys.Phone),
                FirstName = Or(known.Keys.FirstName, keys.FirstName),
                LastName = Or(known.Keys.LastName, keys.LastName),
            });
        }
        else
        {
            Register(new Person(_byId.Count), keys);
        }
    }

    /// <summary>The lead that a new row is, or null, and then it is a lead of its own from now on.</summary>
    public PersonMatch? Match(long seq, PersonKeys row)
    {
        var (person, by) = Find(row);
        if (person is null)
        {
            Register(new Person(_byId.Count) { Seq = seq }, row);
            return null;
        }

        if (fill)
        {
            person.Seq = seq;
            Add(row with { ExtId = person.Keys.ExtId });
        }

        return new PersonMatch(seq, row.ExtId, person.Keys.ExtId, by);
    }

    private static string? Or(string? first, string? second) => string.IsNullOrEmpty(first) ? second : first;

    private (Person? Person, string By) Find(PersonKeys row)
    {
        if (!string.IsNullOrEmpty(row.Email) && _byEmail.TryGetValue(row.Email, out var byEmail))
        {
            return (byEmail, "email");
        }

        if (rule != MatchRule.Email && Identifying(row.Phone) is { } phone && _byPhone.TryGetValue(phone, out var people))
        {
            var same = people.Take(MostPeopleOfANumber).FirstOrDefault(person => rule == MatchRule.EmailOrPhone || IsSame(person.Keys, row));
            return (same, "phone");
        }

        return (null, "");
    }

    /// <summary>Same number: one person if no address or name contradicts it, and at least one name supports it.</summary>
    private static bool IsSame(PersonKeys a, PersonKeys b)
    {
        var first = Agreement(a.FirstName, b.FirstName);
        var last = Agreement(a.LastName, b.LastName);
        return Agreement(a.Email, b.Email) is not false && first is not false && last is not false && (first is true || last is true);
    }

    /// <summary>Null where one of the two is not known.</summary>
    private static bool? Agreement(string? a, string? b) =>
        string.IsNullOrEmpty(a) || string.IsNullOrEmpty(b) ? null : string.Equals(a, b, StringComparison.Ordinal);

    private void Register(Person person, PersonKeys keys)
    {
        person.Keys = keys;
        _byId.TryAdd(keys.ExtId, person);
        if (!string.IsNullOrEmpty(keys.Email))
        {
            _byEmail.TryAdd(keys.Email, person);
        }

        if (Identifying(keys.Phone) is { } phone)
        {
            if (!_byPhone.TryGetValue(phone, out var people))
            {
                _byPhone.Add(phone, people = []);
            }

            if (!people.Contains(person))
            {
                var older = people.FindLastIndex(other => other.Age < person.Age);
                people.Insert(older + 1, person);
            }
        }
    }

    private sealed class Person(int age)
    {
        /// <summary>Order of creation.</summary>
        public int Age { get; } = age;

        /// <summary>The row that created or filled it last; 0: none did.</summary>
        public long Seq { get; set; }

        public PersonKeys Keys { get; set; } = new("", null, null, null, null);
    }
}
