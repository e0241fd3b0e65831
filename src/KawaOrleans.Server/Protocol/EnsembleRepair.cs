using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;

namespace KawaOrleans.Server.Protocol;

/// <summary>Which node takes a place in the ensemble of a segment that has ended, and which place.</summary>
internal static class EnsembleRepair
{
    /// <summary>True when a replica is missing: its data directory was given up, or there are fewer than the log wants.</summary>
    public static bool HasVacancy(ChainSegment segment, int wanted, Catalogue catalogue) =>
        !segment.IsOpen && wanted > 1 && (segment.Ensemble.Count < wanted || segment.Ensemble.Any(node => catalogue.IsGivenUp(node.Id)));

    /// <summary>The node that has the vacancies of a segment filled: the first that is alive and was not given up. A hint; two at once are harmless.</summary>
    public static bool IsSeenTo(ChainSegment segment, ChainNode by, Catalogue catalogue, IReadOnlyCollection<string> live) =>
        segment.Ensemble.FirstOrDefault(node => !catalogue.IsGivenUp(node.Id) && live.Contains(node.Name)) == by;

    /// <summary>The node to ask to take the segment, or null when none can: spread over equal nodes by segment.</summary>
    public static ChainNode? Candidate(ChainSegment segment, Catalogue catalogue, IEnumerable<NodeReport> reports) => reports
        .Where(report => report.Cookie == catalogue.Cookie && !catalogue.IsGivenUp(report.Node.Id) && report.FreeBytes / 2 >= segment.FileBytes)
        .Where(report => With(segment, report.Node, catalogue, int.MaxValue) is not null)
        .OrderBy(report => Spread(segment.Id, report.Node.Name)).Select(report => report.Node).FirstOrDefault();

    /// <summary>The ensemble once a node has joined it: in the place of one that was given up, else as one more while fewer than wanted are there.
    /// Those that have the segment come first. Null when there is no place, or the node has one.</summary>
    public static IReadOnlyList<ChainNode>? With(ChainSegment segment, ChainNode joining, Catalogue catalogue, int wanted)
    {
        var kept = segment.Ensemble.Where(node => !catalogue.IsGivenUp(node.Id)).ToList();
        if (kept.Count == 0 || kept.Any(node => node.Id == joining.Id || node.Name == joining.Name))
        {
            return null;
        }

        // One place for each swap, so that there are never fewer than its ack quorum. A name is in an ensemble once.
        var lost = segment.Ensemble.Where(node => catalogue.IsGivenUp(node.Id)).OrderByDescending(node => node.Name == joining.Name).ToList();
        return lost.Count > 0 || kept.Count < wanted ? [.. kept, joining, .. lost.Skip(1)] : null;
    }

    private static ulong Spread(Guid segmentId, string node)
    {
        var bytes = new byte[16 + 8];
        segmentId.TryWriteBytes(bytes, bigEndian: true, out _);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(16), XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(node)));
        return XxHash3.HashToUInt64(bytes);
    }
}
