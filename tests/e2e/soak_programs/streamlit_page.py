import streamlit

streamlit.write("soak")
