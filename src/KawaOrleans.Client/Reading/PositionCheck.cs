namespace KawaOrleans.Client;

/// <summary>Refuses positions and ranges that no log has, before anything is sent.</summary>
internal static class PositionCheck
{
    public static void NotNegative(long position)
    {
        if (position < 0)
        {
            throw new RequestRefusedException($"Positions start at 0; {position} was asked for.");
        }
    }

    public static void Range(RangeQuery query)
    {
        if (query.From < 0 || query.To < query.From)
        {
            throw new RequestRefusedException($"A range is 0 <= From <= To; From is {query.From} and To is {query.To}.");
        }

        if (query.Limit < 0)
        {
            throw new RequestRefusedException($"A limit is 0 or more; {query.Limit} was given.");
        }
    }
}
