using System.Net;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;
using Npgsql;
using SalesTasks.Airflow;
using SalesTasks.Database;
using SalesTasks.Encryption;

namespace SalesTasks.Privacy;

/// <summary>What somebody was named by.</summary>
/// <param name="Kind">ext_id, email or phone.</param>
/// <param name="Text">As it was given, without spaces around it.</param>
internal sealed partial record Subject(string Kind, string Text)
{
    public string? Email => Kind is "email" ? Text : null;

    public string? Phone => Kind is "phone" ? Text : null;

    /// <summary>By its looks: an id that looks like a number or an address is looked up as an id first, whatever this says.</summary>
    /// <exception cref="JobException">64: empty.</exception>
    public static Subject Read(string command, string text) => text.Trim() switch
    {
        "" => throw JobException.Usage($"{command}: allowed: a lead's ext_id, an e-mail address or a telephone number"),
        var email when EmailPattern().IsMatch(email) => new Subject("email", email),
        var phone when PhonePattern().IsMatch(phone) && phone.Count(char.IsAsciiDigit) > 5 => new Subject("phone", phone),
        var id => new Subject("ext_id", id),
    };

    /// <summary>What statements take: the text itself, and the address where it is one.</summary>
    public (string, object?)[] Parameters => [("who", Text), ("email", Email), ("phone", Phone)];

    [GeneratedRegex(@"^[^@\s]+@[^@\s]+\.[^@.\s]{2,}$", RegexOptions.CultureInvariant)]
    private static partial Regex EmailPattern();

    [GeneratedRegex(@"^\+?[0-9 ()./-]+$", RegexOptions.CultureInvariant)]
    private static partial Regex PhonePattern();
}

/// <summary>A lead as far as it tells a person.</summary>
internal sealed record PersonLead(
    string ExtId, long LeadId, long? DealId, string[] Emails, string[] Phones, string[] FirstNames, string[] LastNames, string[] Aliases, bool Erased)
{
    /// <summary>What columns hold in the place of its numbers, where these are sealed.</summary>
    public IReadOnlyList<string> Tokens { get; init; } = [];

    /// <summary>Two leads of one number are of one person unless their names say otherwise.</summary>
    public bool MayBe(PersonLead other) => Agree(FirstNames, other.FirstNames) && Agree(LastNames, other.LastNames);

    private static bool Agree(string[] ours, string[] theirs) =>
        ours.Length == 0 || theirs.Length == 0 || ours.Intersect(theirs, StringComparer.OrdinalIgnoreCase).Any();
}

/// <summary>One person: all its leads, and all that tells it.</summary>
internal sealed class Person
{
    /// <summary>More leads than these are not one person: somebody's switchboard, or a placeholder for "none".</summary>
    public const int MostLeads = 20;

    private const int ShortestWord = 4;

    /// <summary>Digits of a number that tells somebody.</summary>
    private const int FewestDigits = 6;

    private readonly Vault? _vault;
    private string[] _staged = [];

    private Person(Subject subject, string subjectKind, IReadOnlyList<PersonLead> leads, IReadOnlyList<string> others, Vault? vault)
    {
        _vault = vault;
        Subject = subject with { Kind = subjectKind };
        Leads = leads;
        Others = others;
        Emails = Distinct(leads.SelectMany(l => l.Emails).Append(Subject.Email));
        Phones = Distinct(leads.SelectMany(l => l.Phones).Append(Subject.Phone));
        Ids = Distinct(leads.Select(l => l.ExtId).Concat(leads.SelectMany(l => l.Aliases)));
    }

    public Subject Subject { get; }

    public IReadOnlyList<PersonLead> Leads { get; }

    /// <summary>Leads that share a number of the person and are somebody else, by their names.</summary>
    public IReadOnlyList<string> Others { get; }

    public string[] Emails { get; }

    /// <summary>In clear.</summary>
    public string[] Phones { get; }

    /// <summary>What stands in the place of these numbers where they are sealed, however they were written.</summary>
    public string[] Tokens => Distinct(
        Leads.SelectMany(l => l.Tokens).Concat(_vault is null ? [] : Phones.Concat(Phones.SelectMany(Written)).Select(_vault.Sealer.PhoneToken)));

    /// <summary>ext_ids and other ids.</summary>
    public string[] Ids { get; }

    public string[] ExtIds => [.. Leads.Select(l => l.ExtId)];

    /// <summary>Regular expressions that find the person for certain, joined.</summary>
    public string Strong => string.Join('|', StrongTerms().DefaultIfEmpty("(?!x)x"));

    /// <summary>What is taken out of a text in which <see cref="Strong"/> was found: names alone as well.</summary>
    public string[] Terms =>
    [
        .. StrongTerms(),
        .. Leads.SelectMany(l => l.FirstNames.Concat(l.LastNames)).Where(n => n.Length > 1).Distinct(StringComparer.OrdinalIgnoreCase)
            .OrderByDescending(n => n.Length).Select(n => Whole(Spellings(n))),
    ];

    /// <summary>The same as plain texts, for files that are compared byte by byte.</summary>
    public string[] Words =>
    [
        .. Emails.Concat(Emails.Select(e => e.ToLowerInvariant())).Concat(Phones).Concat(Tokens).Concat(Ids.Where(Telling))
            .Concat(FullNames().Select(n => $"{n.First} {n.Last}")).SelectMany(w => new[] { w, WebUtility.HtmlEncode(w), HtmlEncoder.Default.Encode(w), JsonEncodedText.Encode(w).ToString() }).Distinct(StringComparer.Ordinal),
    ];

    public (string Name, object? Value)[] Parameters =>
    [
        ("leads", ExtIds), ("lead_ids", Leads.Select(l => l.LeadId).ToArray()), ("deals", Leads.Select(l => l.DealId).OfType<long>().ToArray()),
        ("ids", Ids), ("emails", Emails.Select(e => e.ToLowerInvariant()).ToArray()), ("digits", Keys(Phones, _vault)),
        ("strong", Strong), ("terms", Terms), ("words", Words), ("staged", _staged),
    ];

    /// <summary>The digits that columns hold numbers by: with zeros in front or without, and as tokens have them.</summary>
    public static string[] Keys(IEnumerable<string> phones, Vault? vault)
    {
        var written = phones.SelectMany(Written).Distinct(StringComparer.Ordinal).ToList();
        return vault is null ? [.. written] : [.. written, .. written.Select(w => PhoneDigits.Of(vault.Sealer.PhoneToken(w)))];
    }

    /// <summary>
    /// Who is meant: the leads so named, and those that share an e-mail address with them, or a telephone number and no other name.
    /// </summary>
    /// <exception cref="JobException">64: an id of nobody; a number of several people; a placeholder.</exception>
    /// <param name="connection">In a transaction.</param>
    /// <param name="command">For errors.</param>
    /// <param name="subject">What the person is named by.</param>
    /// <param name="mayBeNobody">An id of nobody is no error.</param>
    /// <param name="vault">Null: nothing is sealed.</param>
    /// <param name="cancellationToken">Asked to stop.</param>
    public static async Task<Person> FindAsync(
        NpgsqlConnection connection, string command, Subject subject, bool mayBeNobody, Vault? vault, CancellationToken cancellationToken)
    {
        var named = await connection.QueryStatementAsync(
            "privacy/find",
            [("who", subject.Text), ("email", subject.Email), ("digits", Keys(subject.Phone is { } number ? [number] : [], vault)), ("limit", MostLeads + 1)],
            row => (ExtId: row.GetString(0), How: row.GetString(1)), cancellationToken);
        var how = named.Count > 0 ? named[0].How : subject.Kind;
        var found = await LeadsAsync(connection, [.. named.Select(n => n.ExtId)], command, vault, cancellationToken);
        if (found.Count == 0 && subject.Kind is "ext_id" && !mayBeNobody)
        {
            throw JobException.Usage(
                $"{command}: {Quoted.Text(subject.Text)} is no lead's ext_id or other id; allowed: one of these, an e-mail address, or a telephone number of more than 5 digits");
        }

        if (how is "phone" && found.Exists(a => found.Exists(b => !a.MayBe(b))))
        {
            throw JobException.Usage(
                $"{command}: leads with other names share this number: {string.Join(", ", found.Select(l => Quoted.Text(l.ExtId)))}; allowed: the ext_id or e-mail address of the one that is meant");
        }

        var others = new SortedSet<string>(StringComparer.Ordinal);
        for (var grown = true; grown && found.Count > 0;)
        {
            var sharing = await connection.QueryStatementAsync(
                "privacy/sharing",
                [
                    ("emails", found.SelectMany(l => l.Emails).ToArray()), ("digits", Keys(found.SelectMany(l => l.Phones), vault)),
                    ("limit", 10 * MostLeads),
                ],
                row => row.GetString(0),
                cancellationToken);
            var news = await LeadsAsync(
                connection, [.. sharing.Except(found.Select(l => l.ExtId), StringComparer.Ordinal).Except(others, StringComparer.Ordinal)], command, vault, cancellationToken, 10 * MostLeads);
            var same = news.Where(n => found.Exists(l => l.Emails.Intersect(n.Emails, StringComparer.OrdinalIgnoreCase).Any()) || found.Exists(n.MayBe)).ToList();
            others.UnionWith(news.Except(same).Select(l => l.ExtId));
            found.AddRange(same);
            grown = same.Count > 0;
            RequireFew(command, found.Count);
        }

        return await new Person(subject, how, [.. found.OrderBy(l => l.ExtId, StringComparer.Ordinal)], [.. others], vault).WithStagedAsync(connection, cancellationToken);
    }

    /// <summary>The same person, as it is once its leads are locked.</summary>
    public async Task<Person> AgainAsync(NpgsqlConnection connection, string command, CancellationToken cancellationToken) =>
        await new Person(Subject, Subject.Kind, await LeadsAsync(connection, ExtIds, command, _vault, cancellationToken), Others, _vault)
            .WithStagedAsync(connection, cancellationToken);

    /// <summary>Records of a CRM that only their sealed number tells: no statement can compare it.</summary>
    private async Task<Person> WithStagedAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        if (_vault is not null && Phones.Length > 0)
        {
            var written = Phones.SelectMany(Written).ToHashSet(StringComparer.Ordinal);
            var records = await connection.QueryStatementAsync(
                "privacy/sealed_staged", [],
                row => (Crm: row.GetString(0), Object: row.GetString(1), Id: row.GetString(2), Phone: row.GetString(3)), cancellationToken);
            _staged = [.. records
                .Where(r => written.Contains(PhoneDigits.Of(_vault.OpenText(SealedPlaces.Staged(r.Crm, r.Object, r.Id, "phone"), r.Phone))))
                .Select(r => $"{r.Crm}/{r.Object}/{r.Id}")];
        }

        return this;
    }

    private static async Task<List<PersonLead>> LeadsAsync(
        NpgsqlConnection connection, string[] extIds, string command, Vault? vault, CancellationToken cancellationToken, int most = MostLeads)
    {
        if (most == MostLeads)
        {
            RequireFew(command, extIds.Length);
        }

        var leads = extIds.Length == 0
            ? []
            : await connection.QueryStatementAsync(
                "privacy/persons",
                [("leads", extIds)],
                row => new PersonLead(
                    row.GetString(0), row.GetInt64(1), row.IsDBNull(2) ? null : row.GetInt64(2), row.GetFieldValue<string[]>(3), row.GetFieldValue<string[]>(4),
                    row.GetFieldValue<string[]>(5), row.GetFieldValue<string[]>(6), row.GetFieldValue<string[]>(7), row.GetBoolean(8)),
                cancellationToken);
        if (vault is null)
        {
            return leads;
        }

        var tokens = leads.SelectMany(l => l.Phones.Where(Sealer.IsToken).Select(t => (l.ExtId, t))).Distinct().ToList();
        var opened = await vault.ReadAsync(connection, tokens, cancellationToken);
        return leads.ConvertAll(lead => lead with
        {
            // A token without a value of the lead, which somebody copied there, tells the number all the same.
            Phones = [.. lead.Phones.Select(p => opened.ContainsKey((lead.ExtId, p)) ? Vault.Text(opened, lead.ExtId, p) : p)],
            Tokens = [.. lead.Phones.Where(Sealer.IsToken)],
        });
    }

    private static void RequireFew(string command, int leads)
    {
        if (leads > MostLeads)
        {
            throw JobException.Usage(
                $"{command}: more than {MostLeads} leads share it, which is no single person; allowed: the ext_id of the one that is meant, after correcting the shared address or number");
        }
    }

    private IEnumerable<string> StrongTerms()
    {
        foreach (var email in Emails)
        {
            // Plain, as part of an address of the web, and as in a page.
            var spelled = string.Join("(?:@|%40|&#64;|&commat;)", email.Split('@').Select(Escape));
            yield return $"(?:(?<![[:alnum:]._+-])|%[0-9a-f]{{2}}){spelled}(?![[:alnum:]_-])";
        }

        foreach (var digits in Phones.Select(p => Digits(p).TrimStart('0')).Where(d => d.Length > 5).Distinct(StringComparer.Ordinal))
        {
            yield return $"(?<![0-9])0*{string.Join("[ ()./-]{0,3}", digits.ToCharArray())}(?![0-9])";
        }

        foreach (var token in Tokens)
        {
            yield return Escape(token);
        }

        foreach (var (first, last) in FullNames())
        {
            const string Between = "(?:[[:space:],._+-]|%20|&nbsp;){1,3}";
            var (one, two) = (Spellings(first), Spellings(last));
            yield return Whole($"(?:{one}{Between}{two}|{two}{Between}{one})");
        }

        foreach (var id in Ids.Where(Telling))
        {
            yield return $"(?<![[:alnum:]_-]){Spellings(id)}(?![[:alnum:]_-])";
        }
    }

    private IEnumerable<(string First, string Last)> FullNames() =>
        (from lead in Leads from first in lead.FirstNames from last in lead.LastNames select (first, last)).Distinct();

    /// <summary>Whether an id says something in the midst of a text: 42 does not.</summary>
    private static bool Telling(string id) => id.Length >= ShortestWord && (id.Length > 5 || !id.All(char.IsAsciiDigit));

    private static string Whole(string pattern) => $"(?<![[:alnum:]]){pattern}(?![[:alnum:]])";

    /// <summary>A text as it is, as pages write it and as addresses of the web do.</summary>
    private static string Spellings(string text)
    {
        string[] all =
        [
            text, WebUtility.HtmlEncode(text), HtmlEncoder.Default.Encode(text), Uri.EscapeDataString(text),
            JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).ToString(), JsonEncodedText.Encode(text).ToString(),
        ];
        return $"(?:{string.Join('|', all.Distinct(StringComparer.Ordinal).Select(Escape))})";
    }

    /// <summary>Literally, for a regular expression of PostgreSQL.</summary>
    private static string Escape(string text)
    {
        var escaped = new StringBuilder(text.Length);
        foreach (var c in text)
        {
            if (!char.IsLetterOrDigit(c) && c < 128)
            {
                escaped.Append('\\');
            }

            escaped.Append(c);
        }

        return escaped.ToString();
    }

    /// <summary>The digits of a number as people may have written it.</summary>
    private static IEnumerable<string> Written(string phone)
    {
        var digits = Digits(phone);
        var bare = digits.TrimStart('0');
        return new[] { digits, bare, "0" + bare, "00" + bare }.Where(d => d.Length >= FewestDigits).Distinct(StringComparer.Ordinal);
    }

    private static string Digits(string phone) => new([.. phone.Where(char.IsAsciiDigit)]);

    private static string[] Distinct(IEnumerable<string?> texts) => [.. texts.OfType<string>().Distinct(StringComparer.Ordinal)];
}
