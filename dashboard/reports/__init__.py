"""The packet of a patient: one or two pages to take to a meeting or to send to a referral centre, from the rows of the screen.

`packet.py` picks the rows, `figure.py` draws the chart without a browser, and pdf.py, slides.py, offline.py and files.py set them as PDF,
PPTX, one HTML file and CSV. Nothing here queries, and the same rows give the same bytes.
"""
