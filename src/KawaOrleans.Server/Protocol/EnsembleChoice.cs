using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;

namespace KawaOrleans.Server.Protocol;

/// <summary>Which nodes take a segment; the first is its primary. Empty when there are too few, and then it says why.</summary>
internal sealed record EnsembleChoice(IReadOnlyList<ChainNode> Ensemble, string? WhyNot)
{
    /// <summary>Chooses among the nodes that answered: those that hold the log's last segment first and in the order given, so that a log stays
    /// where it is, then those with fewest open segments, then by a hash that spreads logs over equal nodes.</summary>
    /// <param name="logId">The log.</param>
    /// <param name="options">How many nodes are wanted (N), and how many are needed (A).</param>
    /// <param name="current">The ensemble of the log's last segment, the next primary first; empty when it has none.</param>
    /// <param name="cookie">The cluster: a node of another one, or of none yet, takes nothing.</param>
    /// <param name="reports">What the live nodes said.</param>
    /// <param name="fileBytes">The size of the file to be made; a node needs twice that free.</param>
    public static EnsembleChoice Among(
        Guid logId, LogOptions options, IReadOnlyList<ChainNode> current, Guid cookie, IReadOnlyList<NodeReport> reports, long fileBytes)
    {
        var refusals = new List<string>();
        var able = new List<NodeReport>();
        foreach (var report in reports.DistinctBy(report => report.Node.Id))
        {
            if (Refusal(report, cookie, fileBytes) is { } reason)
            {
                refusals.Add($"node '{report.Node.Name}' {reason}");
            }
            else
            {
                able.Add(report);
            }
        }

        var wanted = Math.Min(options.Replicas, able.Count);
        if (wanted < options.AckQuorum)
        {
            return new EnsembleChoice([], $"{options.AckQuorum} nodes are needed and {able.Count} can take a segment"
                + (able.Count == 0 ? "" : $" ({string.Join(", ", able.Select(report => $"'{report.Node.Name}'"))})")
                + string.Concat(refusals.Select(refusal => $"; {refusal}")));
        }

        return new EnsembleChoice(
            [.. able
                .OrderBy(report => Place(current, report.Node))
                .ThenBy(report => report.OpenSegments)
                .ThenBy(report => Spread(logId, report.Node.Name))
                .ThenBy(report => report.Node.Name, StringComparer.Ordinal)
                .Take(wanted)
                .Select(report => report.Node)],
            null);
    }

    private static string? Refusal(NodeReport report, Guid cookie, long fileBytes)
    {
        if (report.Cookie != cookie)
        {
            return report.Cookie == Guid.Empty ? "has not joined the cluster yet" : "belongs to another cluster";
        }

        return report.FreeBytes / 2 >= fileBytes
            ? null
            : $"has {report.FreeBytes} bytes free and needs {fileBytes * 2} for a segment of {fileBytes}";
    }

    private static int Place(IReadOnlyList<ChainNode> current, ChainNode node)
    {
        for (var place = 0; place < current.Count; place++)
        {
            if (current[place] == node)
            {
                return place;
            }
        }

        return int.MaxValue;
    }

    private static ulong Spread(Guid logId, string node)
    {
        var bytes = new byte[16 + 8];
        logId.TryWriteBytes(bytes, bigEndian: true, out _);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(16), XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(node)));
        return XxHash3.HashToUInt64(bytes);
    }
}
