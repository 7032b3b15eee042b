using System.Xml;
using System.Xml.Linq;

namespace SalesTasks.Demo.Crm;

/// <content>What Salesforce offers by SOAP alone: emptying the recycle bin, and merging.</content>
/// <remarks>https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_emptyrecyclebin.htm.</remarks>
internal sealed partial class SalesforceFake
{
    private static readonly XNamespace s_envelope = "http://schemas.xmlsoap.org/soap/envelope/";
    private static readonly XNamespace s_partner = "urn:partner.soap.sforce.com";

    private FakeAnswer Soap(string text)
    {
        XElement envelope;
        try
        {
            envelope = XElement.Parse(text);
        }
        catch (XmlException)
        {
            return SoapFault("soapenv:Client", "the envelope is no XML");
        }

        var session = envelope.Descendants().FirstOrDefault(e => e.Name.LocalName == "sessionId")?.Value;
        if (session is null || !_sessions.Contains(session))
        {
            return SoapFault("sf:INVALID_SESSION_ID", "INVALID_SESSION_ID: Invalid Session ID found in SessionHeader: Illegal Session");
        }

        var call = envelope.Element(s_envelope + "Body")?.Elements().FirstOrDefault();
        return call?.Name.LocalName switch
        {
            "emptyRecycleBin" => Purge([.. call.Elements().Where(e => e.Name.LocalName == "ids").Select(e => e.Value)]),
            "merge" => MergeBySoap(call),
            _ => SoapFault("sf:UNKNOWN_EXCEPTION", "there is no such call here"),
        };
    }

    private FakeAnswer Purge(List<string> ids)
    {
        if (ids.Count > MaxCollection)
        {
            return SoapFault("sf:EXCEEDED_ID_LIMIT", "EXCEEDED_ID_LIMIT: record limit reached. cannot submit more than 200 records in this call");
        }

        return Reply("emptyRecycleBin", ids.ConvertAll(id =>
        {
            var record = _records.Values.Select(r => r.GetValueOrDefault(id)).FirstOrDefault(r => r is not null);
            if (record is not { Deleted: true, Purged: false })
            {
                return Outcome(id, ("INVALID_ID_FIELD", "the record is not in the recycle bin"));
            }

            if (Refuses)
            {
                return Outcome(id, ("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id"));
            }

            Erasures += _records["Contact"].ContainsKey(id) ? 1 : 0;
            record.Purged = true;
            record.Values.Clear();
            return Outcome(id, null);
        }));
    }

    private FakeAnswer MergeBySoap(XElement call)
    {
        var winner = call.Descendants().FirstOrDefault(e => e.Name.LocalName == "masterRecord")?.Elements().FirstOrDefault(e => e.Name.LocalName is "Id" or "id")?.Value;
        var losers = call.Descendants().Where(e => e.Name.LocalName == "recordToMergeIds").Select(e => e.Value).ToList();
        if (Existing("Contact", winner) is not { } master || losers.Count is 0 or > 2 || losers.Exists(l => l == winner || Existing("Contact", l) is null))
        {
            return Reply("merge", [Outcome(winner, ("INVALID_ID_FIELD", "there is nothing to merge"))]);
        }

        losers.ForEach(l => Merge("Contact", master, Existing("Contact", l)!));
        return Reply("merge", [Outcome(winner, null)]);
    }

    private static XElement Outcome(string? id, (string Code, string Message)? fault) => new(
        s_partner + "result",
        fault is { } f ? new XElement(s_partner + "errors", new XElement(s_partner + "message", f.Message), new XElement(s_partner + "statusCode", f.Code)) : null,
        new XElement(s_partner + "id", id),
        new XElement(s_partner + "success", fault is null));

    private static FakeAnswer Reply(string call, List<XElement> results) => Envelope(200, new XElement(s_partner + $"{call}Response", results));

    private static FakeAnswer SoapFault(string code, string message) =>
        Envelope(500, new XElement(s_envelope + "Fault", new XElement("faultcode", code), new XElement("faultstring", message)));

    private static FakeAnswer Envelope(int status, XElement body) => new(status)
    {
        Xml = new XElement(
            s_envelope + "Envelope",
            new XAttribute(XNamespace.Xmlns + "soapenv", s_envelope), new XAttribute(XNamespace.Xmlns + "sf", "urn:fault.partner.soap.sforce.com"),
            new XElement(s_envelope + "Body", body)).ToString(SaveOptions.DisableFormatting),
    };
}
