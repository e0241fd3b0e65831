using System.Text;

namespace KawaOrleans.Storage.Streams;

/// <summary>Lists the streams that begin in a segment: those whose first event there has revision 0.</summary>
internal static class StreamListing
{
    /// <summary>How many streams one call looks at before it answers with what it has.</summary>
    private const int MostLookedAt = 20_000;

    /// <summary>See <see cref="Segment.ListStreams"/>.</summary>
    public static (List<string> Names, long Next) Run(Segment segment, string prefix, long from, int maxNames)
    {
        var firsts = segment.FirstEvents(from);
        var wanted = Encoding.UTF8.GetBytes(prefix);
        var names = new List<string>();
        for (var i = 0; i < firsts.Length; i++)
        {
            if (names.Count == maxNames || i == MostLookedAt)
            {
                return (names, firsts[i]);
            }

            if (segment.BeginsStream(firsts[i], wanted) is { } name && (name[0] != '$' || prefix.StartsWith('$')))
            {
                names.Add(name);
            }
        }

        return (names, -1);
    }
}
