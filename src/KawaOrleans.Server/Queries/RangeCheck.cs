namespace KawaOrleans.Server.Queries;

/// <summary>Whether two positions make a range.</summary>
internal static class RangeCheck
{
    public static void Check(long from, long to)
    {
        if (from < 0 || to < from)
        {
            throw new RequestRefusedException($"A range is [from, to) with 0 <= from <= to; [{from}, {to}) is none.");
        }
    }
}
