"""The names that the standard gives to messages, trigger events and segments: nothing else of a file is quoted as such a name.

Sources: HL7 v2.8.2, tables 0076 (message type) and 0003 (event type), and the segments of its chapters; with those of older versions
that were withdrawn since. Local names (Z..) are not among them: any text may stand there.
"""

OTHER = "other"
_MESSAGES = """
    ACK ADR ADT BAR BPS BRP BRT BTS CCF CCI CCM CCQ CCR CCU CQU CRM CSU DBC DBU DEL DEO DER DFT DOC DPR DRC DSR EAC EAN EAR EDR EHC
    EQQ ERP ESR ESU INR INU LSR LSU MCF MDM MFD MFK MFN MFQ MFR NMD NMQ NMR OMB OMD OMG OMI OML OMN OMP OMQ OMS OPL OPR OPU ORA ORB
    ORD ORF ORG ORI ORL ORM ORN ORP ORR ORS ORU ORX OSM OSQ OSR OSU OUL PEX PGL PIN PMU PPG PPP PPR PPT PPV PRR PTR QBP QCK QCN QRY
    QSB QSX QVR RAR RAS RCI RCL RDE RDO RDR RDS RDY REF RER RGR RGV ROR RPA RPI RPL RPR RQA RQC RQI RQP RQQ RRA RRD RRE RRG RRI RRO
    RSP RTB SCN SDN SDR SIU SLN SLR SMD SPQ SQM SQR SRM SRR SSR SSU STC STI SUR TBR TCR TCU UDM VQQ VTQ VXQ VXR VXU VXX
"""
MESSAGES = frozenset(_MESSAGES.split())
# Letter -> the highest number of its events, from 01 on.
EVENT_RANGES = {
    "A": 62, "B": 8, "C": 12, "E": 31, "I": 22, "J": 2, "K": 34, "M": 18, "N": 2, "O": 48, "P": 12, "Q": 34, "R": 43, "S": 37, "T": 12,
    "U": 13, "V": 4, "W": 2,
}  # fmt: skip
EVENTS = frozenset(f"{letter}{number:02}" for letter, last in EVENT_RANGES.items() for number in range(1, last + 1))
EVENTS |= frozenset(f"PC{last}" for last in "123456789ABCDEFGHJKL") | {"ROR"}
_SEGMENTS = """
    ABS ACC ADD ADJ AFF AIG AIL AIP AIS AL1 APR ARQ ARV AUT BHS BLC BLG BPO BPX BTS BTX BUI CDM CDO CER CM0 CM1 CM2 CNS CON CSP CSR
    CSS CTD CTI DB1 DG1 DMI DON DPS DRG DSC DSP ECD ECR EDU EQL EQP EQU ERQ ERR EVN FAC FHS FT1 FTS GOL GP1 GP2 GT1 IAM IAR IIM ILT
    IN1 IN2 IN3 INV IPC IPR ISD ITM IVC IVT LAN LCC LCH LDP LOC LRL MCP MFA MFE MFI MRG MSA MSH NCK NDS NK1 NPU NSC NST NTE OBR OBX
    ODS ODT OH1 OH2 OH3 OH4 OM1 OM2 OM3 OM4 OM5 OM6 OM7 OMC ORC ORG OVR PAC PCE PCR PD1 PDA PDC PEO PES PID PKG PM1 PMT PR1 PRA PRB
    PRC PRD PRT PSG PSH PSL PSS PTH PV1 PV2 PYE QAK QID QPD QRD QRF QRI RCP RDF RDT REL RF1 RFI RGS RMI ROL RQ1 RQD RXA RXC RXD RXE
    RXG RXO RXR RXV SAC SCD SCH SCP SDD SFT SGH SGT SHP SID SLT SPM SPR STF STZ TCC TCD TQ1 TQ2 TXA UAC UB1 UB2 URD URS VAR VND VTQ
"""
SEGMENTS = frozenset(_SEGMENTS.split())


def message_type(code: str, event: str) -> str:
    """'ADT^A08', 'ADT^other' for an event of no standard, 'other' for such a message."""
    if code not in MESSAGES:
        return OTHER if code or event else "no type"
    return f"{code}^{event if event in EVENTS else OTHER}" if event else code


def segment(name: str) -> str:
    """The name of a segment of the standard; else 'other'."""
    return name if name in SEGMENTS else OTHER
