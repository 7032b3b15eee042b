using System.Text.Json.Nodes;

namespace SalesTasks.Demo.Crm;

/// <content>Objects, their fields, and how they are described.</content>
internal sealed partial class SalesforceFake
{
    private static readonly string[] s_stages =
    [
        "Prospecting", "Qualification", "Needs Analysis", "Value Proposition", "Id. Decision Makers", "Perception Analysis", "Proposal/Price Quote",
        "Negotiation/Review", "Closed Won", "Closed Lost",
    ];

    private static readonly Dictionary<string, string> s_prefixes = new(StringComparer.Ordinal)
    {
        ["Contact"] = "003",
        ["Opportunity"] = "006",
        ["OpportunityContactRole"] = "00K",
        ["User"] = "005",
    };

    private readonly Dictionary<string, SortedDictionary<string, SalesforceRecord>> _records = s_prefixes.Keys.ToDictionary(
        type => type, _ => new SortedDictionary<string, SalesforceRecord>(StringComparer.Ordinal), StringComparer.Ordinal);

    private readonly Dictionary<(string Type, string Field, string Value), SalesforceRecord> _unique = [];

    private readonly Dictionary<string, List<SalesforceField>> _fields = new(StringComparer.Ordinal)
    {
        ["Contact"] =
        [
            .. System(), new("MasterRecordId", "reference", 18) { ReadOnly = true }, new("OwnerId", "reference", 18) { Defaulted = true },
            new("Name", "string", 121) { ReadOnly = true }, new("FirstName", "string", 40), new("LastName", "string", 80) { Required = true },
            new("Email", "email", 80), new("Phone", "phone", 40), new("Title", "string", 128), new("MailingCountry", "string", 80),
            new("LeadSource", "picklist", 255) { Options = ["Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other"] },
            new("SalesTasks_Lead_Id__c", "string", 128) { ExternalId = true, Unique = true },
            new("SalesTasks_Company__c", "string", 255), new("SalesTasks_Score__c", "double"),
            new("Tier__c", "picklist", 255) { Options = ["A", "B"], Restricted = true },
        ],
        ["Opportunity"] =
        [
            .. System(), new("OwnerId", "reference", 18) { Defaulted = true }, new("Name", "string", 120) { Required = true },
            new("StageName", "picklist", 255) { Required = true, Options = s_stages }, new("CloseDate", "date") { Required = true },
            new("Amount", "currency"), new("Probability", "percent") { Defaulted = true }, new("Description", "textarea", 32_000),
            new("Next_Contact__c", "datetime"), new("SalesTasks_Deal_Id__c", "string", 128) { ExternalId = true, Unique = true },
        ],
        ["OpportunityContactRole"] =
        [
            .. System(), new("OpportunityId", "reference", 18) { Required = true, CreateOnly = true }, new("ContactId", "reference", 18) { Required = true },
            new("Role", "picklist", 255), new("IsPrimary", "boolean") { Defaulted = true },
        ],
        ["User"] = [.. System(), new("Name", "string", 121), new("Username", "string", 80), new("Email", "email", 128), new("IsActive", "boolean")],
    };

    /// <summary>The fields of an object, to be changed by a test before the first call.</summary>
    public List<SalesforceField> Fields(string type) => _fields[type];

    private static SalesforceField[] System() =>
    [
        new("Id", "id", 18) { ReadOnly = true }, new("IsDeleted", "boolean") { ReadOnly = true }, new("CreatedDate", "datetime") { ReadOnly = true },
        new("LastModifiedDate", "datetime") { ReadOnly = true }, new("SystemModstamp", "datetime") { ReadOnly = true },
    ];

    private bool Known(string type) => _records.ContainsKey(type);

    private FakeAnswer Describe(string type) => new(200, new JsonObject
    {
        ["name"] = type,
        ["label"] = type,
        ["keyPrefix"] = s_prefixes[type],
        ["custom"] = false,
        ["createable"] = true,
        ["updateable"] = true,
        ["deletable"] = true,
        ["queryable"] = true,
        ["mergeable"] = type is "Contact",
        ["fields"] = new JsonArray([.. _fields[type].Select(Describe)]),
    });

    private static JsonObject Describe(SalesforceField field) => new()
    {
        ["name"] = field.Name,
        ["label"] = field.Name,
        ["type"] = field.Type,
        ["length"] = field.Length,
        ["externalId"] = field.ExternalId,
        ["unique"] = field.Unique,
        ["idLookup"] = field.ExternalId || field.Type is "id" or "email",
        ["createable"] = !field.ReadOnly,
        ["updateable"] = !field.ReadOnly && !field.CreateOnly,
        ["nillable"] = !field.Required && !field.Defaulted,
        ["defaultedOnCreate"] = field.Defaulted,
        ["restrictedPicklist"] = field.Restricted,
        ["custom"] = field.Name.EndsWith("__c", StringComparison.Ordinal),
        ["picklistValues"] = new JsonArray(
            [.. field.Options.Select(o => new JsonObject { ["value"] = o, ["label"] = o, ["active"] = true, ["defaultValue"] = false })]),
    };
}
