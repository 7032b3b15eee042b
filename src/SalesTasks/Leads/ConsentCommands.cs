using System.CommandLine;
using System.Text.RegularExpressions;
using Npgsql;
using SalesTasks.Airflow;
using SalesTasks.Cli;
using SalesTasks.Database;
using SalesTasks.Encryption;

namespace SalesTasks.Leads;

/// <summary>
/// <c>leads opt-out</c> and <c>leads opt-in</c>: whether a person may be written to and called. Consent, suppression, campaigns and waiting
/// messages change in one transaction, so that nothing is claimed in between; who did it is written down.
/// </summary>
internal static partial class ConsentCommands
{
    private static readonly string[] s_reasons = ["opt_out", "unsubscribe", "bounce", "complaint", "manual"];

    public static PeopleCommand OptOut()
    {
        var reason = new Option<string>("--reason")
        {
            Description = "What the suppression list says: " + string.Join(", ", s_reasons),
            DefaultValueFactory = _ => s_reasons[0],
        };
        reason.AcceptOnlyFromAmong(s_reasons);
        var command = Create("opt-out", "Stop writing to and calling a person, now and for good", (context, person, channel, stop) =>
            context.ChangeAsync(person, channel, (connection, target, token) => OptOutAsync(context.People, connection, target, context.People.Parse.GetRequiredValue(reason), token), stop));
        command.Options.Add(reason);
        return command;
    }

    public static PeopleCommand OptIn() => Create("opt-in", "Let a person be written to and called again", (context, person, channel, stop) =>
        context.ChangeAsync(person, channel, (connection, target, token) => OptInAsync(context.People, connection, target, token), stop));

    private static PeopleCommand Create(
        string name, string description, Func<ConsentContext, string, string, CancellationToken, Task<ExitCode>> run)
    {
        var person = new Argument<string>("lead")
        {
            Description = "The lead's ext_id or another id it is known by; or an e-mail address or telephone number, of a lead or not",
        };
        var channel = new Option<string>("--channel") { Description = "email, phone or all", DefaultValueFactory = _ => "all" };
        channel.AcceptOnlyFromAmong("email", "phone", "all");
        var command = new PeopleCommand(name, description, (context, stop) => run(
            new ConsentContext(context, "leads " + name), context.Parse.GetRequiredValue(person), context.Parse.GetRequiredValue(channel), stop));
        command.Arguments.Add(person);
        command.Options.Add(channel);
        return command;
    }

    private static async Task OptOutAsync(
        PeopleContext context, NpgsqlConnection connection, Target target, string reason, CancellationToken cancellationToken)
    {
        var suppressed = await connection.ExecuteStatementAsync(
            "leads/suppress", [("emails", target.Emails), ("phones", target.Phones), ("reason", reason)], cancellationToken);
        await target.SyncAsync(connection, cancellationToken);
        var changed = await connection.ExecuteStatementAsync("leads/set_consent", target.Consent(false), cancellationToken);
        var stopped = target.Leads.Length == 0
            ? 0
            : await connection.ScalarStatementAsync<long>("leads/stop_all", [("leads", target.Leads)], cancellationToken);
        var cancelled = await connection.ExecuteStatementAsync(
            "leads/cancel_messages", [("leads", target.Leads), ("email", target.ByEmail), ("phone", target.ByPhone)], cancellationToken);
        target.Report = () => Show(
            context,
            ("leads", target.Leads.Length, "lead|leads", "lead|leads"),
            ("consent_changed", changed, "consent withdrawn|consents withdrawn", "consentimiento retirado|consentimientos retirados"),
            ("addresses_suppressed", suppressed, "address newly suppressed|addresses newly suppressed", "dirección recién bloqueada|direcciones recién bloqueadas"),
            ("campaigns_stopped", stopped, "campaign stopped|campaigns stopped", "campaña detenida|campañas detenidas"),
            ("messages_cancelled", cancelled, "waiting message cancelled|waiting messages cancelled",
                "mensaje en espera cancelado|mensajes en espera cancelados"));
    }

    private static async Task OptInAsync(PeopleContext context, NpgsqlConnection connection, Target target, CancellationToken cancellationToken)
    {
        var lifted = await connection.QueryStatementAsync(
            "leads/lift_suppressions",
            [("emails", target.Emails), ("phones", target.Phones)],
            row => (Lifted: row.GetInt64(0), Kept: row.GetInt64(1)),
            cancellationToken);
        await target.SyncAsync(connection, cancellationToken);
        var changed = await connection.ExecuteStatementAsync("leads/set_consent", target.Consent(true), cancellationToken);
        target.Report = () => Show(
            context,
            ("leads", target.Leads.Length, "lead|leads", "lead|leads"),
            ("consent_changed", changed, "consent given|consents given", "consentimiento dado|consentimientos dados"),
            ("addresses_released", lifted[0].Lifted, "address released|addresses released", "dirección desbloqueada|direcciones desbloqueadas"),
            ("addresses_kept", lifted[0].Kept, "address stays suppressed (bounce or erasure)|addresses stay suppressed (bounce or erasure)",
                "dirección sigue bloqueada (rebote o borrado)|direcciones siguen bloqueadas (rebote o borrado)"));
    }

    /// <summary>
    /// Counts only: the person is shown as typed by whoever ran the command, and no further. Words for one and for any other number stand
    /// beside each other.
    /// </summary>
    private static void Show(PeopleContext context, params (string Name, long Count, string English, string Spanish)[] counts)
    {
        if (context.Json)
        {
            context.WriteJson(counts.ToDictionary(c => c.Name, object? (c) => c.Count, StringComparer.Ordinal));
            return;
        }

        foreach (var (_, count, english, spanish) in counts)
        {
            context.Host.Out.WriteLine($"{count} {context.Words(count, english, spanish)}");
        }
    }

    private static bool IsEmail(string text) => EmailPattern().IsMatch(text);

    /// <summary>More than five digits and nothing that a telephone number does not have.</summary>
    private static bool IsPhone(string text) => PhonePattern().IsMatch(text) && text.Count(char.IsAsciiDigit) > 5;

    [GeneratedRegex(@"^[^@\s]+@[^@\s]+\.[^@.\s]{2,}$", RegexOptions.CultureInvariant)]
    private static partial Regex EmailPattern();

    [GeneratedRegex(@"^\+?[0-9 ()./-]+$", RegexOptions.CultureInvariant)]
    private static partial Regex PhonePattern();

    /// <summary>Who is meant, and where they can be reached.</summary>
    private sealed record Target(string[] Leads, string[] Emails, string[] Phones, bool ByEmail, bool ByPhone)
    {
        /// <summary>Opens numbers that are sealed; null: none is.</summary>
        public Vault? Vault { get; init; }

        /// <summary>Has the suppression list say the same of these numbers where they are sealed.</summary>
        public Task SyncAsync(NpgsqlConnection connection, CancellationToken cancellationToken) =>
            Vault is null ? Task.CompletedTask : Vault.SyncSuppressionsAsync(connection, Phones, cancellationToken);

        /// <summary>Tells what was done, once it is committed.</summary>
        public Action Report { get; set; } = static () => { };

        public (string, object?)[] Consent(bool given) =>
            [("leads", Leads), ("email", ByEmail ? given : null), ("phone", ByPhone ? given : null)];
    }

    private sealed class ConsentContext(PeopleContext people, string name)
    {
        public PeopleContext People { get; } = people;

        public async Task<ExitCode> ChangeAsync(
            string person, string channel, Func<NpgsqlConnection, Target, CancellationToken, Task> change, CancellationToken stop)
        {
            await using var database = await People.OpenAsync(stop);
            // Where only mail is meant, the keys of phone numbers are not needed.
            var vault = channel is "email" ? null : await People.VaultAsync(database, stop);
            var target = await database.InTransactionAsync(
                async (connection, _, token) =>
                {
                    await connection.ExecuteStatementAsync("database/set_actor", [("actor", Environment.UserName)], token);
                    var found = await FindAsync(connection, person.Trim(), channel, vault, token);
                    await change(connection, found, token);
                    return found;
                },
                stop);
            target.Report();
            return ExitCode.Done;
        }

        private async Task<Target> FindAsync(
            NpgsqlConnection connection, string person, string channel, Vault? vault, CancellationToken cancellationToken)
        {
            var email = IsEmail(person) ? person : null;
            var phone = IsPhone(person) ? person : null;
            var found = await connection.QueryStatementAsync(
                "leads/opt_targets",
                [("who", person), ("email", email), ("phones", Spellings(vault, One(phone)))],
                row => (ById: row.GetBoolean(0), Lead: row.GetString(1), Emails: row.GetFieldValue<string[]>(2), Phones: row.GetFieldValue<string[]>(3)),
                cancellationToken);
            if (found.Count == 0 && email is null && phone is null)
            {
                throw JobException.Usage(
                    $"{name}: {Quoted.Text(person)} is no lead's ext_id or other id; allowed: one of these, an e-mail address, or a telephone number of more than 5 digits");
            }

            if (found.Exists(f => f.ById))
            {
                // An id that looks like a number is an id.
                email = null;
                phone = null;
            }

            var byEmail = channel is not "phone";
            var byPhone = channel is not "email";
            string[] emails = byEmail ? [.. found.SelectMany(f => f.Emails), .. One(email)] : [];
            string[] phones = byPhone ? [.. await ClearAsync(), .. One(phone)] : [];
            if (found.Count == 0 && emails.Length + phones.Length == 0)
            {
                throw JobException.Usage(email is null
                    ? $"{name}: {Quoted.Text(person)} is a telephone number; allowed with it: --channel phone or all"
                    : $"{name}: {Quoted.Text(person)} is an e-mail address; allowed with it: --channel email or all");
            }

            var sharing = await connection.QueryStatementAsync(
                "leads/leads_of_addresses", [("emails", emails), ("phones", Spellings(vault, phones))], row => row.GetString(0), cancellationToken);
            string[] leads = [.. found.Select(f => f.Lead).Union(sharing, StringComparer.Ordinal).Order(StringComparer.Ordinal)];
            return new Target(leads, emails, phones, byEmail, byPhone) { Vault = vault };

            // One that does not open is suppressed by its token: it is never called by any other name.
            async Task<IEnumerable<string>> ClearAsync()
            {
                var sealedOnes = found.SelectMany(f => f.Phones.Where(Sealer.IsToken).Select(token => (f.Lead, token))).Distinct().ToList();
                var opened = vault is null ? [] : await vault.ReadAsync(connection, sealedOnes, cancellationToken);
                return found.SelectMany(f => f.Phones.Select(p => opened.GetValueOrDefault((f.Lead, p)).Text ?? p));
            }
        }

        /// <summary>Numbers as they stand in the database: in clear and, where numbers are sealed, as tokens.</summary>
        private static string[] Spellings(Vault? vault, IEnumerable<string> phones) =>
            [.. phones.SelectMany(p => vault is null || Sealer.IsToken(p) ? [p] : (string[])[p, vault.Sealer.PhoneToken(p)])];

        private static IEnumerable<string> One(string? address) => address is null ? [] : [address];
    }
}
